#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# WebSocket (TEXTBOOK 23), by Python's websockets: upgrade, text and binary, both directions at once, server push, ping and
# pong, messages in fragments and of a megabyte, compression, over TLS, fifty clients at once.
. ./programs/lib.sh

server_up() {
	programs_up
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=www.example.test -days 2 \
		-addext subjectAltName=DNS:www.example.test -keyout "$work/key" -out "$work/pem" 2>/dev/null
	cat >"$work/server.py" <<-'END'
		import asyncio, ssl, sys, websockets

		async def echo(ws):
		    async for message in ws:
		        await ws.send(message)

		# says its own, whatever it hears, and what it has heard in the end
		async def push(ws):
		    async def speak():
		        for i in range(300):
		            await ws.send("push %d" % i)
		    speaking = asyncio.create_task(speak())
		    heard = 0
		    async for message in ws:
		        if message == "enough":
		            break
		        heard += len(message)
		    await speaking
		    await ws.send("heard %d" % heard)

		# is compression agreed on?
		async def about(ws):
		    extensions = ws.extensions if hasattr(ws, "extensions") else ws.protocol.extensions
		    await ws.send(repr([e.name for e in extensions]))

		# the path is where the library's version has it
		async def serve(ws):
		    path = ws.path if hasattr(ws, "path") else ws.request.path
		    await {"/echo": echo, "/push": push, "/about": about}[path](ws)

		async def main():
		    directory = sys.argv[1]
		    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
		    context.load_cert_chain(directory + "/pem", directory + "/key")
		    hosts = sys.argv[2:]
		    async with websockets.serve(serve, hosts, 80, max_size=4 << 20), \
		               websockets.serve(serve, hosts, 443, ssl=context, max_size=4 << 20):
		        await asyncio.Future()

		asyncio.run(main())
	END
	far_serves /usr/bin/python3 "$work/server.py" "$work" "$far4" "$far6"
	listens "$far" 80
	listens "$far" 443
}

# client: what comes on standard input is the body of a coroutine, which has join(PATH)
client() {
	{
		cat <<-'END'
			import asyncio, os, socket, ssl, sys, websockets
			directory, host = sys.argv[1:]
			trusting = ssl.create_default_context(cafile=directory + "/pem")
			def join(path, **more):
			    return websockets.connect("ws://%s%s" % (host, path), max_size=4 << 20, open_timeout=60, **more)
			def join_tls(path, name="www.example.test", **more):
			    return websockets.connect("wss://%s%s" % (name, path), host=host.strip("[]"), port=443,
			                              server_hostname=name, ssl=more.pop("ssl", trusting), max_size=4 << 20, open_timeout=60,
			                              **more)
			async def main():
		END
		sed 's/^/    /'
		echo "asyncio.run(asyncio.wait_for(main(), 60))"
	} >"$work/client.py"
	near_runs /usr/bin/python3 "$work/client.py" "$work" "${address:-$far4}"
}

messages() {
	server_up
	local address
	for address in "$far4" "[$far6]"; do
		client <<-'END'
			async with join("/echo") as ws:
			    for message in "text", "\u00fcber \U0001f30d", b"\x00\xff\x80", "", b"", "x" * 125, "x" * 126, "x" * 65536:
			        await ws.send(message)
			        back = await ws.recv()
			        assert back == message and type(back) == type(message)
		END
	done
	carried 2
}

megabyte() {
	server_up
	client <<-'END'
		large = os.urandom(1 << 20)
		async with join("/echo", compression=None) as ws:
		    for i in range(3):
		        await ws.send(large)
		        assert await ws.recv() == large
	END
	carried 1
}

fragments() {
	server_up
	client <<-'END'
		pieces = [os.urandom(n) for n in (1, 1000, 70000, 0, 30000)]
		async def generate():
		    for piece in pieces:
		        yield piece
		        # a control frame in the middle of a message (RFC 6455 5.4)
		        await ws.ping()
		async with join("/echo") as ws:
		    await ws.send(generate())
		    assert await ws.recv() == b"".join(pieces)
		    await ws.send(["one ", "two ", "three"])
		    assert await ws.recv() == "one two three"
	END
	carried 1
}

# both speak at once, and neither waits for the other
push() {
	server_up
	client <<-'END'
		async with join("/push") as ws:
		    async def speak():
		        for i in range(300):
		            await ws.send(b"x" * 1000)
		        await ws.send("enough")
		    speaking = asyncio.create_task(speak())
		    for i in range(300):
		        assert await ws.recv() == "push %d" % i
		    await speaking
		    assert await ws.recv() == "heard 300000"
	END
	carried 1
}

ping_and_close() {
	server_up
	client <<-'END'
		async with join("/echo") as ws:
		    for data in b"", b"x" * 125:
		        await asyncio.wait_for(await ws.ping(data), 20)
		    await ws.close(4001, "enough")
		    assert (ws.close_code, ws.close_reason) == (4001, "enough")
		    try:
		        await ws.recv()
		        assert False
		    except websockets.ConnectionClosedError as error:
		        assert error.rcvd.code == 4001, error
	END
	carried 1
}

compression() {
	server_up
	client <<-'END'
		async with join("/about") as ws:
		    assert "permessage-deflate" in await ws.recv()
		async with join("/about", compression=None) as ws:
		    assert await ws.recv() == "[]"
		text = "all work and no play " * 50000
		async with join("/echo") as ws:
		    for i in range(3):
		        await ws.send(text)
		        assert await ws.recv() == text
	END
	carried 3
	# three megabytes went there, and few on the way
	[ "$(counter "$far" InSegs)" -lt 500 ]
}

over_tls() {
	server_up
	client <<-'END'
		large = os.urandom(1 << 20)
		async with join_tls("/echo", compression=None) as ws:
		    assert ws.transport.get_extra_info("ssl_object").version().startswith("TLSv1.")
		    await ws.send(large)
		    assert await ws.recv() == large
		for refused in dict(name="else.example.test"), dict(ssl=ssl.create_default_context()):
		    try:
		        async with join_tls("/echo", **refused):
		            assert False
		    except ssl.SSLCertVerificationError:
		        pass
	END
	carried 3
}

fifty_clients() {
	server_up
	client <<-'END'
		async def one(number):
		    async with (join_tls if number % 5 == 0 else join)("/echo") as ws:
		        for i in range(10):
		            message = "client %d, message %d " % (number, i) * (number + 1)
		            await ws.send(message)
		            assert await ws.recv() == message
		        await all_there.wait()
		        return 1
		async def count():
		    while sum(1 for line in open("/proc/net/haul/sockets") if "ESTABLISHED" in line) < 50:
		        await asyncio.sleep(0.05)
		    all_there.set()
		all_there = asyncio.Event()
		counting = asyncio.create_task(count())
		assert sum(await asyncio.gather(*[one(n) for n in range(50)])) == 50
	END
	carried 50
}

run_cases messages megabyte fragments push ping_and_close compression over_tls fifty_clients
