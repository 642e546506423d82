// libedit: line editing and history. It is loaded when a prompt opens, because linking it adds half
// as many instructions to every start. Its functions are called through pointers, with a typed
// function for each form of its variadic ones.
#pragma once
#include <dlfcn.h>
#include <histedit.h>
#include <stdbool.h>
#include <stdio.h>

typedef struct {
  EditLine *(*init)(const char *, FILE *, FILE *, FILE *);
  void (*end)(EditLine *);
  int (*set)(EditLine *, int, ...);
  int (*source)(EditLine *, const char *);
  const char *(*gets)(EditLine *, int *);
  History *(*history_init)(void);
  void (*history_end)(History *);
  int (*history)(History *, HistEvent *, int, ...);
} cedit_library;

/// Loads the library; false when it is not installed.
static inline bool cedit_load(cedit_library *library) {
  void *handle = dlopen("libedit.so.2", RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) return false;
  *(void **)&library->init = dlsym(handle, "el_init");
  *(void **)&library->end = dlsym(handle, "el_end");
  *(void **)&library->set = dlsym(handle, "el_set");
  *(void **)&library->source = dlsym(handle, "el_source");
  *(void **)&library->gets = dlsym(handle, "el_gets");
  *(void **)&library->history_init = dlsym(handle, "history_init");
  *(void **)&library->history_end = dlsym(handle, "history_end");
  *(void **)&library->history = dlsym(handle, "history");
  return library->init && library->end && library->set && library->source && library->gets &&
         library->history_init && library->history_end && library->history;
}

/// An editor that reads standard input and shows its prompt on standard error; `size` limits the
/// history.
static inline EditLine *cedit_open(
    const cedit_library *library, char *(*prompt)(EditLine *), History *history, int size) {
  EditLine *editor = library->init("dsql", stdin, stderr, stderr);
  if (editor == NULL) return NULL;
  HistEvent event;
  library->history(history, &event, H_SETSIZE, size);
  library->history(history, &event, H_SETUNIQUE, 1);
  library->set(editor, EL_PROMPT, prompt);
  library->set(editor, EL_EDITOR, "emacs");
  library->set(editor, EL_SIGNAL, 0);
  // What a Ctrl-D that was typed during a query has become. By default it inserts the next key.
  library->set(editor, EL_BIND, "^@", "ed-ignore", NULL);
  library->set(editor, EL_HIST, library->history, history);
  library->source(editor, NULL);
  return editor;
}

static inline const char *cedit_gets(const cedit_library *library, EditLine *editor, int *count) {
  return library->gets(editor, count);
}

static inline void cedit_end(const cedit_library *library, EditLine *editor, History *history) {
  if (editor != NULL) library->end(editor);
  if (history != NULL) library->history_end(history);
}

static inline History *cedit_history(const cedit_library *library) {
  return library->history_init();
}

/// H_ENTER with a line, H_LOAD or H_SAVE with a file.
static inline int cedit_history_text(
    const cedit_library *library, History *history, int action, const char *text) {
  HistEvent event;
  return library->history(history, &event, action, text);
}
