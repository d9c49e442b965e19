const IDLE = 0, WORKER = 1, HANDLER_A = 2, HANDLER_B = 3, DEVICE_A = 4, DEVICE_B = 5;
const PACKET_SIZE = 4;

class Packet {
  constructor(next, task, isWork) {
    this.next = next;
    this.task = task;
    this.position = 0;
    this.isWork = isWork;
    this.data = [0, 0, 0, 0];
  }

  appendTo(queue) {
    this.next = null;
    if (queue === null) return this;
    let last = queue;
    while (last.next !== null) last = last.next;
    last.next = this;
    return queue;
  }
}

class Task {
  constructor(next, number, priority, queue, work) {
    this.next = next;
    this.number = number;
    this.priority = priority;
    this.queue = queue;
    this.work = work;
    this.held = false;
    this.suspended = true;
    this.hasPacket = queue !== null;
  }

  canRun() {
    return !this.held && (this.hasPacket || !this.suspended);
  }

  run(system) {
    if (!this.suspended || !this.hasPacket) return this.work.run(system, null);
    const packet = this.queue;
    this.queue = packet.next;
    this.suspended = false;
    this.hasPacket = this.queue !== null;
    return this.work.run(system, packet);
  }

  receive(packet, sender) {
    if (this.queue !== null) {
      this.queue = packet.appendTo(this.queue);
      return sender;
    }
    this.queue = packet;
    this.hasPacket = true;
    return this.moreUrgent(sender);
  }

  moreUrgent(other) {
    return this.priority > other.priority ? this : other;
  }
}

class System {
  constructor() {
    this.tasks = [null, null, null, null, null, null];
    this.first = null;
    this.current = null;
    this.queued = 0;
    this.holds = 0;
  }

  add(number, priority, queue, work) {
    this.first = new Task(this.first, number, priority, queue, work);
    this.tasks[number] = this.first;
    return this.first;
  }

  schedule() {
    this.current = this.first;
    while (this.current !== null) {
      this.current = this.current.canRun() ? this.current.run(this) : this.current.next;
    }
  }

  hold() {
    this.holds++;
    this.current.held = true;
    return this.current.next;
  }

  suspend() {
    this.current.suspended = true;
    return this.current;
  }

  release(number) {
    const task = this.tasks[number];
    task.held = false;
    return task.moreUrgent(this.current);
  }

  send(packet) {
    const receiver = this.tasks[packet.task];
    this.queued++;
    packet.next = null;
    packet.task = this.current.number;
    return receiver.receive(packet, this.current);
  }
}

class Idle {
  constructor(rounds) {
    this.rounds = rounds;
    this.control = 1;
  }

  run(system, packet) {
    this.rounds--;
    if (this.rounds === 0) return system.hold();
    const odd = (this.control & 1) !== 0;
    this.control >>= 1;
    if (!odd) return system.release(DEVICE_A);
    this.control ^= 0xd008;
    return system.release(DEVICE_B);
  }
}

class Worker {
  constructor() {
    this.handler = HANDLER_A;
    this.letter = 0;
  }

  run(system, packet) {
    if (packet === null) return system.suspend();
    this.handler = HANDLER_A + HANDLER_B - this.handler;
    packet.task = this.handler;
    packet.position = 0;
    for (let i = 0; i < PACKET_SIZE; i++) {
      this.letter = (this.letter % 26) + 1;
      packet.data[i] = this.letter;
    }
    return system.send(packet);
  }
}

class Handler {
  constructor() {
    this.workQueue = null;
    this.deviceQueue = null;
  }

  run(system, packet) {
    if (packet !== null) this.accept(packet);
    const work = this.workQueue;
    if (work === null) return system.suspend();
    if (work.position === PACKET_SIZE) {
      this.workQueue = work.next;
      return system.send(work);
    }
    const device = this.deviceQueue;
    if (device === null) return system.suspend();
    this.deviceQueue = device.next;
    device.position = work.data[work.position];
    work.position++;
    return system.send(device);
  }

  accept(packet) {
    if (packet.isWork) this.workQueue = packet.appendTo(this.workQueue);
    else this.deviceQueue = packet.appendTo(this.deviceQueue);
  }
}

class Device {
  constructor() {
    this.pending = null;
  }

  run(system, packet) {
    if (packet !== null) {
      this.pending = packet;
      return system.hold();
    }
    const done = this.pending;
    if (done === null) return system.suspend();
    this.pending = null;
    return system.send(done);
  }
}

function packets(count, task, isWork) {
  let queue = null;
  for (let i = 0; i < count; i++) queue = new Packet(queue, task, isWork);
  return queue;
}

const system = new System();
system.add(IDLE, 0, null, new Idle(Number(process.argv[2]))).suspended = false;
system.add(WORKER, 1000, packets(2, WORKER, true), new Worker());
system.add(HANDLER_A, 2000, packets(3, DEVICE_A, false), new Handler());
system.add(HANDLER_B, 3000, packets(3, DEVICE_B, false), new Handler());
system.add(DEVICE_A, 4000, null, new Device());
system.add(DEVICE_B, 5000, null, new Device());
system.schedule();
console.log(`${system.queued} packets queued`);
console.log(`${system.holds} holds`);
