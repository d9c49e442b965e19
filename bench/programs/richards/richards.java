class Main {
  static final int IDLE = 0, WORKER = 1, HANDLER_A = 2, HANDLER_B = 3, DEVICE_A = 4, DEVICE_B = 5, TASKS = 6;
  static final int PACKET_SIZE = 4;

  static class Packet {
    Packet next;
    int task, position;
    final boolean isWork;
    final int[] data = new int[PACKET_SIZE];

    Packet(Packet next, int task, boolean isWork) {
      this.next = next;
      this.task = task;
      this.isWork = isWork;
    }

    Packet appendTo(Packet queue) {
      next = null;
      if (queue == null) return this;
      Packet last = queue;
      while (last.next != null) last = last.next;
      last.next = this;
      return queue;
    }
  }

  abstract static class Work {
    abstract Task run(Scheduler system, Packet packet);
  }

  static class Task {
    final Task next;
    final int number, priority;
    Packet queue;
    final Work work;
    boolean held, suspended = true, hasPacket;

    Task(Task next, int number, int priority, Packet queue, Work work) {
      this.next = next;
      this.number = number;
      this.priority = priority;
      this.queue = queue;
      this.work = work;
      hasPacket = queue != null;
    }

    boolean canRun() {
      return !held && (hasPacket || !suspended);
    }

    Task run(Scheduler system) {
      if (!suspended || !hasPacket) return work.run(system, null);
      Packet packet = queue;
      queue = packet.next;
      suspended = false;
      hasPacket = queue != null;
      return work.run(system, packet);
    }

    Task receive(Packet packet, Task sender) {
      if (queue != null) {
        queue = packet.appendTo(queue);
        return sender;
      }
      queue = packet;
      hasPacket = true;
      return moreUrgent(sender);
    }

    Task moreUrgent(Task other) {
      return priority > other.priority ? this : other;
    }
  }

  static class Scheduler {
    final Task[] tasks = new Task[TASKS];
    Task first, current;
    int queued, holds;

    Task add(int number, int priority, Packet queue, Work work) {
      first = new Task(first, number, priority, queue, work);
      tasks[number] = first;
      return first;
    }

    void schedule() {
      current = first;
      while (current != null) current = current.canRun() ? current.run(this) : current.next;
    }

    Task hold() {
      holds++;
      current.held = true;
      return current.next;
    }

    Task suspend() {
      current.suspended = true;
      return current;
    }

    Task release(int number) {
      Task task = tasks[number];
      task.held = false;
      return task.moreUrgent(current);
    }

    Task send(Packet packet) {
      Task receiver = tasks[packet.task];
      queued++;
      packet.next = null;
      packet.task = current.number;
      return receiver.receive(packet, current);
    }
  }

  static class Idle extends Work {
    int rounds;
    int control = 1;

    Idle(int rounds) {
      this.rounds = rounds;
    }

    Task run(Scheduler system, Packet packet) {
      rounds--;
      if (rounds == 0) return system.hold();
      boolean odd = (control & 1) != 0;
      control >>= 1;
      if (!odd) return system.release(DEVICE_A);
      control ^= 0xD008;
      return system.release(DEVICE_B);
    }
  }

  static class Worker extends Work {
    int handler = HANDLER_A;
    int letter;

    Task run(Scheduler system, Packet packet) {
      if (packet == null) return system.suspend();
      handler = HANDLER_A + HANDLER_B - handler;
      packet.task = handler;
      packet.position = 0;
      for (int i = 0; i < PACKET_SIZE; i++) {
        letter = letter % 26 + 1;
        packet.data[i] = letter;
      }
      return system.send(packet);
    }
  }

  static class Handler extends Work {
    Packet workQueue, deviceQueue;

    Task run(Scheduler system, Packet packet) {
      if (packet != null) accept(packet);
      Packet work = workQueue;
      if (work == null) return system.suspend();
      if (work.position == PACKET_SIZE) {
        workQueue = work.next;
        return system.send(work);
      }
      Packet device = deviceQueue;
      if (device == null) return system.suspend();
      deviceQueue = device.next;
      device.position = work.data[work.position];
      work.position++;
      return system.send(device);
    }

    void accept(Packet packet) {
      if (packet.isWork) workQueue = packet.appendTo(workQueue);
      else deviceQueue = packet.appendTo(deviceQueue);
    }
  }

  static class Device extends Work {
    Packet pending;

    Task run(Scheduler system, Packet packet) {
      if (packet != null) {
        pending = packet;
        return system.hold();
      }
      Packet done = pending;
      if (done == null) return system.suspend();
      pending = null;
      return system.send(done);
    }
  }

  static Packet packets(int count, int task, boolean isWork) {
    Packet queue = null;
    for (int i = 0; i < count; i++) queue = new Packet(queue, task, isWork);
    return queue;
  }

  public static void main(String[] arguments) {
    Scheduler system = new Scheduler();
    system.add(IDLE, 0, null, new Idle(Integer.parseInt(arguments[0]))).suspended = false;
    system.add(WORKER, 1000, packets(2, WORKER, true), new Worker());
    system.add(HANDLER_A, 2000, packets(3, DEVICE_A, false), new Handler());
    system.add(HANDLER_B, 3000, packets(3, DEVICE_B, false), new Handler());
    system.add(DEVICE_A, 4000, null, new Device());
    system.add(DEVICE_B, 5000, null, new Device());
    system.schedule();
    System.out.println(system.queued + " packets queued");
    System.out.println(system.holds + " holds");
  }
}
