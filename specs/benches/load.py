#!/usr/bin/env python3
"""Load on the API of a running node: a mix of routes at a steady rate, with idle listeners.

    specs/benches/load.py http://127.0.0.1:7171 [--rate 1000] [--seconds 60] [--listeners 500] [--pid PID]

Requests begin when they are due, whether or not others are answered yet; a time counts from when
the request was due, so that a node that falls behind is seen to. Prints the times, the errors,
and, with the process id of the node, its memory before and after. Needs Python 3.11 and nothing
else. It shares the processor with the node. Nothing here is asserted by a test.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections import Counter
from urllib.parse import urlsplit

CONNECTIONS = 64


def arguments():
    parser = argparse.ArgumentParser(description="Load on the API of a running node.")
    parser.add_argument("api")
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--listeners", type=int, default=500)
    parser.add_argument("--pid", type=int)
    return parser.parse_args()


class Connection:
    """One connection that is kept open."""

    def __init__(self, host, port):
        self.host, self.port, self.reader, self.writer = host, port, None, None

    async def get(self, path, stream=False):
        """Status and body; of a stream, the status alone."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        head = f"GET {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nAccept-Encoding: gzip\r\n\r\n"
        self.writer.write(head.encode())
        answer = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = answer.split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        status = int(lines[0].split(" ")[1])
        if stream:
            return status, b""
        return status, await self.reader.readexactly(int(headers.get("content-length", 0)))


def memory(pid):
    if not pid:
        return None
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) // 1024 for line in file if line.startswith("VmRSS"))


async def routes(host, port):
    """What readers ask for, the frequent more often."""
    first = Connection(host, port)

    async def fetch(path):
        first.writer = None
        # Without compression the body is read as it is.
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        return json.loads(answer.split(b"\r\n\r\n", 1)[1])

    flows = await fetch("/api/v1/flows")
    mix = ["/api/v1/flows", "/api/v1/areas", "/api/v1/status", "/api/v1/publishers", "/"] * 2
    for flow in flows[:4]:
        base = f"{flow['release']}/{flow['output']}"
        panel = await fetch(f"/api/v1/panels/{base}")
        mix.append(f"/api/v1/panels/{base}")
        for at in range(0, len(panel["series"]), max(1, len(panel["series"]) // 20)):
            key = panel["series"][at]
            known = [period for period, value in zip(panel["periods"], panel["values"][at]) if value is not None]
            mix += [f"/api/v1/series/{base}/{key}", f"/api/v1/countries/{key.split('.')[0]}"]
            if known:
                mix.append(f"/api/v1/figures/{flow['publisher']}/{flow['dataflow']}/{key}/{known[-1]}")
    return mix


async def main():
    options = arguments()
    place = urlsplit(options.api)
    host, port = place.hostname, place.port
    mix = await routes(host, port)
    listeners = [Connection(host, port) for _ in range(options.listeners)]
    for listener in listeners:
        status, _ = await listener.get("/api/v1/events", stream=True)
        assert status == 200, status
    free = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(Connection(host, port))
    took, answers, errors = [], Counter(), Counter()

    async def one(path, due):
        connection = await free.get()
        try:
            status, _ = await connection.get(path)
            answers[status] += 1
        except (OSError, EOFError, ValueError) as fault:
            errors[type(fault).__name__] += 1
            connection = Connection(host, port)
        free.put_nowait(connection)
        took.append(time.perf_counter() - due)

    print(f"{len(mix)} routes, {options.listeners} listeners, {options.rate} requests a second")
    for path in mix:  # once each, so that none is met for the first time
        await one(path, time.perf_counter())
    took.clear()
    answers.clear()
    before, begin, tasks = memory(options.pid), time.perf_counter(), set()
    for number in range(options.rate * options.seconds):
        due = begin + number / options.rate
        wait = due - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(one(mix[number * 7919 % len(mix)], due))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    times = sorted(second * 1000 for second in took)
    cut = statistics.quantiles(times, n=1000)
    print(f"{len(times)} answers {dict(answers)}, errors {dict(errors)}")
    print(f"p50 {cut[499]:.1f} ms, p90 {cut[899]:.1f} ms, p99 {cut[989]:.1f} ms, most {times[-1]:.1f} ms")
    if before:
        print(f"memory {before} MB before, {memory(options.pid)} MB after")


if __name__ == "__main__":
    asyncio.run(main())
