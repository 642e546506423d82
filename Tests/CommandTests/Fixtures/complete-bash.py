"""complete-bash.py TYPED: what an interactive bash makes of a line when Tab is pressed behind it.

bash runs on a terminal of its own, with the completions of all five commands and no others.
"""
import os
import pty
import select
import sys
import time

TOOLS = "fake-events kprod dsql anomalies devstack"
typed = sys.argv[1]

with open(".rc", "w") as rc:
    rc.write("PS1='<ready>'; bind 'set enable-bracketed-paste off'; bind 'set bell-style none'\n")
    rc.write("bind 'set page-completions off'; bind 'set show-all-if-ambiguous off'\n")
    # Ctrl-G writes the line as it is then into a file.
    rc.write("bind -x '\"\\C-g\": printf %s \"$READLINE_LINE\" > .new; mv .new .line'\n")
    rc.write(f"for tool in {TOOLS}; do source <($tool --completion bash); done\n")

child, terminal = pty.fork()
if child == 0:
    os.environ.update(TERM="dumb", INPUTRC="/dev/null")
    os.execvp("bash", ["bash", "--noprofile", "--rcfile", ".rc", "-i"])

seen = b""


def read_until(condition):
    """Takes in what bash shows until a condition holds."""
    global seen
    end = time.time() + 50
    while not condition():
        if time.time() > end:
            sys.exit(f"bash shows {seen!r}")
        if select.select([terminal], [], [], 0.01)[0]:
            seen += os.read(terminal, 65536)


read_until(lambda: b"<ready>" in seen)
os.write(terminal, typed.encode() + b"\t\x07")
read_until(lambda: os.path.exists(".line"))
with open(".line", encoding="utf-8") as line:
    sys.stdout.write(line.read())
os.close(terminal)
os.waitpid(child, 0)
