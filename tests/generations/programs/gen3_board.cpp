/*
 * Level 20110221 (to 2011-03-04), in C++: a board of numbers. 8 arguments, callbacks with context,
 * broadcast.
 *
 * Run: gen3_board PORT SESSIONS
 * Peers: SESSIONS WebSockets to "board"; a text "NAME=VALUE" reaches all as "NAME=VALUE"; who comes
 * later is first told what is on the board, one text for each name in alphabetical order.
 *
 * Prints "open", "set NAME to VALUE", "told N" (how many the newcomer was told), "shut".
 * Exit status 0.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <unistd.h>

#include <libwebsockets.h>

static std::map<std::string, std::string> board;
static int left;

static int send_text(libwebsocket *wsi, const std::string &text)
{
    std::string room(LWS_SEND_BUFFER_PRE_PADDING, '\0');
    room += text;
    room.append(LWS_SEND_BUFFER_POST_PADDING, '\0');
    return libwebsocket_write(wsi,
        reinterpret_cast<unsigned char *>(&room[LWS_SEND_BUFFER_PRE_PADDING]), text.size(),
        LWS_WRITE_TEXT);
}

static int callback_board(libwebsocket_context *, libwebsocket *wsi,
    libwebsocket_callback_reasons reason, void *, void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED: {
        int told = 0;
        for (const auto &entry : board)
            if (send_text(wsi, entry.first + "=" + entry.second) == 0)
                told++;
        std::printf("told %d\n", told);
        break;
    }
    case LWS_CALLBACK_RECEIVE: {
        std::string text(static_cast<char *>(in), len);
        size_t sign = text.find('=');
        if (sign == std::string::npos)
            break;
        board[text.substr(0, sign)] = text.substr(sign + 1);
        std::printf("set %s to %s\n", text.substr(0, sign).c_str(), text.substr(sign + 1).c_str());
        libwebsockets_broadcast(
            libwebsockets_get_protocol(wsi), static_cast<unsigned char *>(in), len);
        break;
    }
    case LWS_CALLBACK_BROADCAST:
        libwebsocket_write(wsi, static_cast<unsigned char *>(in), len, LWS_WRITE_TEXT);
        break;
    case LWS_CALLBACK_CLOSED:
        left++;
        break;
    default:
        break;
    }
    return 0;
}

static libwebsocket_protocols protocols[] = {
    {"board", callback_board, 0, NULL, 0, 0, 0},
    {NULL, NULL, 0, NULL, 0, 0, 0},
};

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    std::setvbuf(stdout, NULL, _IOLBF, 0);
    alarm(300);
    libwebsocket_context *context =
        libwebsocket_create_context(std::atoi(argv[1]), NULL, protocols, NULL, NULL, -1, -1, 0);
    if (context == NULL)
        return 1;
    std::printf("open\n");
    while (left < std::atoi(argv[2]))
        libwebsocket_service(context, 50);
    libwebsocket_context_destroy(context);
    std::printf("shut\n");
    return 0;
}
