/*
 * Level 20130316 (to 2013-10-16), in C++: a room, with objects behind the callbacks.
 *
 * Run: gen5_room PORT SESSIONS
 * Peers: SESSIONS WebSockets to "room". A text "I am NAME" gives a name; every other text reaches
 * all as "NAME: TEXT" ("somebody: TEXT" before).
 *
 * Prints "open", "SOMEBODY says TEXT", "room empty", "shut". Exit status 0 when SESSIONS have left.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <unistd.h>
#include <vector>

#include <libwebsockets.h>

namespace
{

class Room
{
  public:
    explicit Room(int port)
    {
        protocols[0].name = "http-only";
        protocols[0].callback = &Room::http;
        protocols[1].name = "room";
        protocols[1].callback = &Room::callback;
        protocols[1].per_session_data_size = sizeof(Member *);
        protocols[1].rx_buffer_size = 1024;
        lws_context_creation_info info = lws_context_creation_info();
        info.port = port;
        info.protocols = protocols;
        info.gid = -1;
        info.uid = -1;
        info.user = this;
        context = libwebsocket_create_context(&info);
    }
    ~Room()
    {
        libwebsocket_context_destroy(context);
    }
    Room(const Room &) = delete;
    Room &operator=(const Room &) = delete;

    bool open() const
    {
        return context != nullptr;
    }
    int left() const
    {
        return gone;
    }
    bool empty() const
    {
        return members.empty();
    }
    bool turn()
    {
        return libwebsocket_service(context, 50) >= 0;
    }

  private:
    struct Member {
        std::string name = "somebody";
        std::deque<std::string> waiting;
    };

    void say(const std::string &words)
    {
        for (auto &member : members) {
            member.second.waiting.push_back(words);
            libwebsocket_callback_on_writable(context, member.first);
        }
    }

    int handle(libwebsocket *wsi, libwebsocket_callback_reasons reason, Member **slot,
        const char *data, size_t len)
    {
        switch (reason) {
        case LWS_CALLBACK_ESTABLISHED:
            *slot = &members[wsi];
            break;
        case LWS_CALLBACK_RECEIVE: {
            std::string words(data, len);
            if (words.compare(0, 5, "I am ") == 0) {
                (*slot)->name = words.substr(5);
                break;
            }
            std::printf("%s says %s\n", (*slot)->name.c_str(), words.c_str());
            say((*slot)->name + ": " + words);
            break;
        }
        case LWS_CALLBACK_SERVER_WRITEABLE: {
            if ((*slot)->waiting.empty())
                break;
            const std::string &words = (*slot)->waiting.front();
            std::vector<unsigned char> buffer(
                LWS_SEND_BUFFER_PRE_PADDING + words.size() + LWS_SEND_BUFFER_POST_PADDING);
            std::memcpy(&buffer[LWS_SEND_BUFFER_PRE_PADDING], words.data(), words.size());
            if (libwebsocket_write(
                    wsi, &buffer[LWS_SEND_BUFFER_PRE_PADDING], words.size(), LWS_WRITE_TEXT) < 0)
                return -1;
            (*slot)->waiting.pop_front();
            if (!(*slot)->waiting.empty())
                libwebsocket_callback_on_writable(context, wsi);
            break;
        }
        case LWS_CALLBACK_CLOSED:
            members.erase(wsi);
            gone++;
            break;
        default:
            break;
        }
        return 0;
    }

    static int http(libwebsocket_context *, libwebsocket *, libwebsocket_callback_reasons, void *,
        void *, size_t)
    {
        return 0;
    }

    static int callback(libwebsocket_context *context, libwebsocket *wsi,
        libwebsocket_callback_reasons reason, void *user, void *in, size_t len)
    {
        if (reason == LWS_CALLBACK_PROTOCOL_INIT || reason == LWS_CALLBACK_PROTOCOL_DESTROY)
            return 0;
        Room *room = static_cast<Room *>(libwebsocket_context_user(context));
        return room->handle(
            wsi, reason, static_cast<Member **>(user), static_cast<const char *>(in), len);
    }

    libwebsocket_protocols protocols[3] = {};
    libwebsocket_context *context = nullptr;
    std::map<libwebsocket *, Member> members;
    int gone = 0;
};

} // namespace

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    alarm(300);
    {
        Room room(std::atoi(argv[1]));
        if (!room.open())
            return 1;
        std::printf("open\n");
        while (room.left() < std::atoi(argv[2]))
            if (!room.turn())
                return 1;
        std::printf("room %s\n", room.empty() ? "empty" : "not empty");
    }
    std::printf("shut\n");
    return 0;
}
