"""A chat client for Parley: says the lines of its input in a room and prints what is said there, in order."""
import asyncio, itertools, json, os, random, sys, threading, uuid
import websockets

class Client:
    async def run(self, name, room="Python", url="ws://localhost:20200/ws"):
        """Talks until the end of the input; a lost connection is replaced after a random, growing wait."""
        self.account = {"chatid": name, "password": os.environ.get("PARLEY_PASSWORD", "password123")}
        self.session, self.room_id, self.longest_wait = None, None, 0.5
        self.lines, self.idle = [], None  # what is to be said, each until it is confirmed; None is the end
        self.last, self.has_more = 0, True  # the message_id printed last; whether others may have come since
        threading.Thread(target=self.read, args=[asyncio.get_running_loop()], daemon=True).start()
        while True:
            try:
                async with websockets.connect(url) as self.socket:
                    return await self.talk(room)
            except (OSError, websockets.WebSocketException) as lost:
                print(f"(away: {lost!r})", file=sys.stderr)
                if getattr(lost, "code", None) == 4001:  # another connection has taken over
                    sys.exit(1)
            await asyncio.sleep(random.uniform(0, self.longest_wait))
            self.longest_wait = min(10, 2 * self.longest_wait)

    async def ask(self, action, reply, tolerated=None, **data):
        """Asks as often as it takes; returns the data of the reply, None for an error that is tolerated."""
        while True:
            await self.socket.send(json.dumps({"action": action, "data": data}))
            async with asyncio.timeout(10):
                frame = {}
                while frame.get("action") != reply and "code" not in frame:  # only errors have a code
                    frame = json.loads(await self.socket.recv())
                    self.has_more |= frame["action"].startswith("receive_")
            if frame.get("code") in (None, tolerated):
                return frame.get("data")
            if frame["code"] not in ("rate_limited", "unavailable", "internal", "already_logged_in"):
                sys.exit(frame["message"])  # it would be refused again
            await asyncio.sleep(frame.get("data", {}).get("retry_after_ms", 1000) / 1000)

    async def talk(self, room):
        """Says what is typed, and prints the history: a delivery is but the sign to read on there."""
        if self.session:
            self.session = await self.ask("login", "login_success", "invalid_credentials", **self.session)
        if not self.session:
            await self.ask("register", "register_success", "username_taken", **self.account)
            self.session = await self.ask("login", "login_success", **self.account)
        if not self.room_id:
            about = {"room_name": room, "participants": [], "visibility": "public"}
            await self.ask("create_room", "room_created", "room_exists", **about)
            rooms = (await self.ask("get_rooms", "rooms_list", scope="public"))["rooms"]
            self.room_id = next(each["id"] for each in rooms if each["name"] == room)
        await self.ask("join_room", "room_joined", room_id=self.room_id)
        self.longest_wait, self.has_more = 0.5, True
        while self.has_more or self.lines != [None]:
            if any(self.lines):
                await self.ask("send_message", "ack", room_id=self.room_id, **self.lines[0])
                self.lines.pop(0)
            elif not self.has_more:
                self.idle = asyncio.ensure_future(self.socket.recv())  # until something comes, or is typed
                await asyncio.gather(self.idle, return_exceptions=True)
            self.has_more = False
            page = await self.ask("get_messages", "messages_list", room_id=self.room_id, after_id=self.last)
            for message in page["messages"]:
                print(f"{message['sender_chatid']}: {message['content']}", flush=True)
                self.last = message["message_id"]
            self.has_more |= page["has_more"]

    def read(self, loop):
        for line in itertools.chain(filter(str.strip, sys.stdin), [None]):
            self.lines.append(line and {"content": line.rstrip("\n"), "client_message_id": str(uuid.uuid4())})
            loop.call_soon_threadsafe(lambda: self.idle and self.idle.cancel())

asyncio.run(Client().run(*sys.argv[1:]))
