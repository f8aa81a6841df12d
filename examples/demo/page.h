/* The page: a few files over HTTP, and nothing else. */
#ifndef DEMO_PAGE_H
#define DEMO_PAGE_H

#include <stdbool.h>

#include <libwebsockets.h>

/* Keeps the name of the directory that the files are in. Returns 0; -1 where the page is not there.
 */
int page_open(const char *directory);

/*
 * Whether a WebSocket was opened by this page: one of another site may not speak for the people who
 * look at it. True also where no site is named, for programs other than browsers.
 */
bool page_is_origin(struct libwebsocket *wsi);

/* The protocol for HTTP. */
callback_function page_callback;

#endif
