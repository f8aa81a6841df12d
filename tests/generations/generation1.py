"""What the programs of generation 1 and of January 2011 do."""

from harness import PAGE, Program, free_port, test
from peers import connect, http, receive, server


@test([20101218, 20110118])
async def gen1_counter(path, page):
    port = free_port()
    async with Program(path, port, page, 500) as program:
        await program.line(r"main: create_server returned 0")
        assert (await http(port, "/"))[:2] == (200, PAGE)
        assert (await http(port, "/words"))[:2] == (200, b"six words are enough for this\n")
        async with connect(port, "counter") as ws:
            for number in range(500):
                assert await receive(ws) == str(number)
        await program.end()
        program.order(r"main: create_server returned 0", r"main: client is there", r"main: sent 500",
                      r"main: bye")
        program.order(r"service: http /", r"service: file sent 0", r"service: http /words",
                      r"service: page written 0", r"service: in another process yes",
                      r"service: established counter zero", r"service: closed counter 500")
        program.has(r"main: protocol 0 http-only index 0 owner set port 0")
        program.has(r"main: protocol 1 counter index 1 owner set port 0")


@test([20101218, 20110118])
async def gen1_mirror(path, page):
    port = free_port()
    async with Program(path, port, 3) as program:
        await program.line(r"create_server returned 0")
        async with connect(port, "mirror") as a, connect(port, "mirror") as b, \
                connect(port, "other") as c:
            await program.line(r"established mirror", 2)
            await a.send("hello")
            assert [await receive(a), await receive(b)] == ["hello", "hello"]
            await c.send("alone")
            assert await receive(c) == "alone"
            data = bytes(1000)
            await b.send(data)
            assert [await receive(a), await receive(b)] == [data, data]
        await program.end()
        program.order(r"received mirror 5", r"told mirror 5", r"told mirror 5", r"broadcast gave 0",
                      r"received other 5", r"told other 5", r"broadcast gave 0",
                      r"received mirror 1000", r"told mirror 1000", r"told mirror 1000",
                      r"broadcast gave 0")
        program.has(r"closed mirror", 2)
        program.has(r"closed other")


@test([20110119, 20110121])
async def jan2011_server(path, page):
    port = free_port()
    async with Program(path, port) as program:
        await program.line(r"server made")
        async with connect(port, "upper") as ws:
            await ws.send("abc")
            assert await receive(ws) == "ABC"
        await program.end()
        assert program.lines[:-1] == ["server made", "same process yes", "established",
                                      "received: abc", "wrote 0", "closed", "destroyed"]


async def chat_client(path, page):
    async def handler(ws):
        assert await receive(ws) == "hi there"
        await ws.send("and hello to you")
        assert await receive(ws) == "bye"

    async with server(handler, ["chat"]) as port, Program(path, port) as program:
        await program.end()
        assert program.lines[:-1] == ["connecting", "client established",
                                      "client received: and hello to you", "client closed",
                                      "destroyed"]


test([20110122, 20110129], "jan2011_client")(chat_client)
test([20110130, 20110211], "jan2011_client_ssl")(chat_client)
