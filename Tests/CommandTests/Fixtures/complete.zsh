# complete.zsh FOLDER COMMAND [LINE]: what zsh offers behind 'COMMAND --' or behind LINE, one word a line. zsh completes only in an
# interactive shell, so one is started on a terminal of its own; its first line is filled in and completed by itself.
zmodload zsh/zpty
export CAPTURE=$PWD/offered COMPLETED="${3:-$2 --}"
print -r -- "
fpath=(${(q)1:A} \$fpath)
autoload -Uz compinit && compinit -u -D
compadd() {
  local -a hits
  [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]] || { builtin compadd -A hits \"\$@\"; print -rl -- \$hits >> \$CAPTURE }
  builtin compadd \"\$@\"
}
zle -C capture list-choices _main_complete
zle-line-init() { BUFFER=\"\$COMPLETED\"; CURSOR=\$#BUFFER; zle capture; exit }
zle -N zle-line-init
" > .zshrc
zpty shell "ZDOTDIR=${(q)PWD} TERM=vt100 zsh -d -i"
while zpty -r shell line; do :; done
zpty -d shell
cat $CAPTURE
