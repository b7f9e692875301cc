"""What the machine and a server's processes use, read from /proc."""
import collections
import glob
import os
import re
import socket

HZ = os.sysconf("SC_CLK_TCK")


def proc_table():
    t = {}
    for p in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(p) as f:
                s = f.read()
        except OSError:
            continue
        pid, rest = int(s.split(" ", 1)[0]), s[s.rindex(")") + 2:].split()
        t[pid] = (int(rest[1]), int(rest[3]), int(rest[11]) + int(rest[12]))   # ppid, session, ticks
    return t


def members(root, table=None):
    table = table or proc_table()
    kids = collections.defaultdict(list)
    for pid, (pp, _, _) in table.items():
        kids[pp].append(pid)
    seen, todo = set(), [p for p, v in table.items() if p == root or v[1] == root]
    while todo:
        p = todo.pop()
        if p not in seen:
            seen.add(p)
            todo += kids[p]
    return seen


def cpu_of(root):
    t = proc_table()
    return sum(t[p][2] for p in members(root, t)) / HZ


def mem_of(root):
    total = 0
    for p in members(root):
        try:
            with open(f"/proc/{p}/smaps_rollup") as f:
                total += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M).group(1))
        except (OSError, AttributeError):
            pass
    return round(total / 1024)


def machine_busy():
    """seconds of cpu time that anything used, and stolen seconds"""
    with open("/proc/stat") as f:
        v = [int(x) for x in f.readline().split()[1:9]]
    return (sum(v) - v[3] - v[4] - v[7]) / HZ, v[7] / HZ


def free_port():
    for port in range(18100, 19100, 10):        # three in a row: MLServer takes port+1 and port+2 too
        try:
            for q in range(port, port + 3):
                with socket.socket() as s:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    s.bind(("127.0.0.1", q))
            return port
        except OSError:
            continue
    raise SystemExit("no free port")
