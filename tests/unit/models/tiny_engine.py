"""Stands in for the model server: same start, same address line, same end; its answers say which process gave them."""

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

KEY = sys.stdin.readline().strip()


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != f"Bearer {KEY}":
            self.send_error(401)
            return
        text = body["messages"][-1]["content"]
        if text == "die once" and not Path(sys.argv[1]).exists():
            Path(sys.argv[1]).touch()
            os._exit(3)
        if text == "wait":
            time.sleep(0.2)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        reply = f"{os.getpid()} {time.monotonic()}"
        for delta, finish in (({"content": reply}, None), ({}, "stop")):
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            frame = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
            self.wfile.write(f"data: {json.dumps(frame)}\n\n".encode())

    def log_message(self, format, *args):
        sys.stderr.write("engine noise\n")


def end_with_parent():
    sys.stdin.read()
    os._exit(0)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=end_with_parent, daemon=True).start()
print(json.dumps({"url": f"http://127.0.0.1:{server.server_address[1]}/v1"}), flush=True)
server.serve_forever()
