import sys

IDLE, WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B, TASKS = range(7)
PACKET_SIZE = 4


class Packet:
    def __init__(self, next, task, is_work):
        self.next = next
        self.task = task
        self.position = 0
        self.is_work = is_work
        self.data = [0] * PACKET_SIZE

    def append_to(self, queue):
        self.next = None
        if queue is None:
            return self
        last = queue
        while last.next is not None:
            last = last.next
        last.next = self
        return queue


class Task:
    def __init__(self, next, number, priority, queue, work):
        self.next = next
        self.number = number
        self.priority = priority
        self.queue = queue
        self.work = work
        self.held = False
        self.suspended = True
        self.has_packet = queue is not None

    def can_run(self):
        return not self.held and (self.has_packet or not self.suspended)

    def run(self, system):
        if not self.suspended or not self.has_packet:
            return self.work.run(system, None)
        packet = self.queue
        self.queue = packet.next
        self.suspended = False
        self.has_packet = self.queue is not None
        return self.work.run(system, packet)

    def receive(self, packet, sender):
        if self.queue is not None:
            self.queue = packet.append_to(self.queue)
            return sender
        self.queue = packet
        self.has_packet = True
        return self.more_urgent(sender)

    def more_urgent(self, other):
        return self if self.priority > other.priority else other


class System:
    def __init__(self):
        self.tasks = [None] * TASKS
        self.first = None
        self.current = None
        self.queued = 0
        self.holds = 0

    def add(self, number, priority, queue, work):
        self.first = Task(self.first, number, priority, queue, work)
        self.tasks[number] = self.first
        return self.first

    def schedule(self):
        self.current = self.first
        while self.current is not None:
            if self.current.can_run():
                self.current = self.current.run(self)
            else:
                self.current = self.current.next

    def hold(self):
        self.holds += 1
        self.current.held = True
        return self.current.next

    def suspend(self):
        self.current.suspended = True
        return self.current

    def release(self, number):
        task = self.tasks[number]
        task.held = False
        return task.more_urgent(self.current)

    def send(self, packet):
        receiver = self.tasks[packet.task]
        self.queued += 1
        packet.next = None
        packet.task = self.current.number
        return receiver.receive(packet, self.current)


class Idle:
    def __init__(self, rounds):
        self.rounds = rounds
        self.control = 1

    def run(self, system, packet):
        self.rounds -= 1
        if self.rounds == 0:
            return system.hold()
        odd = self.control & 1 != 0
        self.control >>= 1
        if not odd:
            return system.release(DEVICE_A)
        self.control ^= 0xD008
        return system.release(DEVICE_B)


class Worker:
    def __init__(self):
        self.handler = HANDLER_A
        self.letter = 0

    def run(self, system, packet):
        if packet is None:
            return system.suspend()
        self.handler = HANDLER_A + HANDLER_B - self.handler
        packet.task = self.handler
        packet.position = 0
        for i in range(PACKET_SIZE):
            self.letter = self.letter % 26 + 1
            packet.data[i] = self.letter
        return system.send(packet)


class Handler:
    def __init__(self):
        self.work_queue = None
        self.device_queue = None

    def run(self, system, packet):
        if packet is not None:
            self.accept(packet)
        work = self.work_queue
        if work is None:
            return system.suspend()
        if work.position == PACKET_SIZE:
            self.work_queue = work.next
            return system.send(work)
        device = self.device_queue
        if device is None:
            return system.suspend()
        self.device_queue = device.next
        device.position = work.data[work.position]
        work.position += 1
        return system.send(device)

    def accept(self, packet):
        if packet.is_work:
            self.work_queue = packet.append_to(self.work_queue)
        else:
            self.device_queue = packet.append_to(self.device_queue)


class Device:
    def __init__(self):
        self.pending = None

    def run(self, system, packet):
        if packet is not None:
            self.pending = packet
            return system.hold()
        done = self.pending
        if done is None:
            return system.suspend()
        self.pending = None
        return system.send(done)


def packets(count, task, is_work):
    queue = None
    for _ in range(count):
        queue = Packet(queue, task, is_work)
    return queue


system = System()
system.add(IDLE, 0, None, Idle(int(sys.argv[1]))).suspended = False
system.add(WORKER, 1000, packets(2, WORKER, True), Worker())
system.add(HANDLER_A, 2000, packets(3, DEVICE_A, False), Handler())
system.add(HANDLER_B, 3000, packets(3, DEVICE_B, False), Handler())
system.add(DEVICE_A, 4000, None, Device())
system.add(DEVICE_B, 5000, None, Device())
system.schedule()
print(system.queued, "packets queued")
print(system.holds, "holds")
