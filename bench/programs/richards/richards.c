#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { IDLE, WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B, TASKS };
enum { PACKET_SIZE = 4 };

typedef struct Packet {
  struct Packet *next;
  int task, position;
  bool isWork;
  int data[PACKET_SIZE];
} Packet;

typedef struct System System;
typedef struct Task Task;
typedef struct Work Work;
typedef Task *Run(Work *work, System *system, Packet *packet);

struct Work {
  Run *run;
  int rounds, control;                 // of the idle task
  int handler, letter;                 // of the worker
  Packet *workQueue, *deviceQueue;     // of a handler
  Packet *pending;                     // of a device
};

struct Task {
  Task *next;
  int number, priority;
  Packet *queue;
  Work *work;
  bool held, suspended, hasPacket;
};

struct System {
  Task *tasks[TASKS];
  Task *first, *current;
  int queued, holds;
};

static Packet *appendTo(Packet *packet, Packet *queue) {
  packet->next = NULL;
  if (!queue) return packet;
  Packet *last = queue;
  while (last->next) last = last->next;
  last->next = packet;
  return queue;
}

static bool canRun(Task *task) { return !task->held && (task->hasPacket || !task->suspended); }

static Task *runTask(Task *task, System *system) {
  if (!task->suspended || !task->hasPacket) return task->work->run(task->work, system, NULL);
  Packet *packet = task->queue;
  task->queue = packet->next;
  task->suspended = false;
  task->hasPacket = task->queue != NULL;
  return task->work->run(task->work, system, packet);
}

static Task *moreUrgent(Task *task, Task *other) { return task->priority > other->priority ? task : other; }

static Task *receive(Task *task, Packet *packet, Task *sender) {
  if (task->queue) {
    task->queue = appendTo(packet, task->queue);
    return sender;
  }
  task->queue = packet;
  task->hasPacket = true;
  return moreUrgent(task, sender);
}

static Task *add(System *system, int number, int priority, Packet *queue, Work *work) {
  Task *task = calloc(1, sizeof(Task));
  *task = (Task){system->first, number, priority, queue, work, false, true, queue != NULL};
  system->first = task;
  system->tasks[number] = task;
  return task;
}

static void schedule(System *system) {
  system->current = system->first;
  while (system->current) {
    if (canRun(system->current)) system->current = runTask(system->current, system);
    else system->current = system->current->next;
  }
}

static Task *hold(System *system) {
  system->holds++;
  system->current->held = true;
  return system->current->next;
}

static Task *suspend(System *system) {
  system->current->suspended = true;
  return system->current;
}

static Task *release(System *system, int number) {
  Task *task = system->tasks[number];
  task->held = false;
  return moreUrgent(task, system->current);
}

static Task *send(System *system, Packet *packet) {
  Task *receiver = system->tasks[packet->task];
  system->queued++;
  packet->next = NULL;
  packet->task = system->current->number;
  return receive(receiver, packet, system->current);
}

static Task *runIdle(Work *work, System *system, Packet *packet) {
  work->rounds--;
  if (work->rounds == 0) return hold(system);
  bool odd = (work->control & 1) != 0;
  work->control >>= 1;
  if (!odd) return release(system, DEVICE_A);
  work->control ^= 0xD008;
  return release(system, DEVICE_B);
}

static Task *runWorker(Work *work, System *system, Packet *packet) {
  if (!packet) return suspend(system);
  work->handler = HANDLER_A + HANDLER_B - work->handler;
  packet->task = work->handler;
  packet->position = 0;
  for (int i = 0; i < PACKET_SIZE; i++) {
    work->letter = work->letter % 26 + 1;
    packet->data[i] = work->letter;
  }
  return send(system, packet);
}

static Task *runHandler(Work *self, System *system, Packet *packet) {
  if (packet) {
    if (packet->isWork) self->workQueue = appendTo(packet, self->workQueue);
    else self->deviceQueue = appendTo(packet, self->deviceQueue);
  }
  Packet *work = self->workQueue;
  if (!work) return suspend(system);
  if (work->position == PACKET_SIZE) {
    self->workQueue = work->next;
    return send(system, work);
  }
  Packet *device = self->deviceQueue;
  if (!device) return suspend(system);
  self->deviceQueue = device->next;
  device->position = work->data[work->position];
  work->position++;
  return send(system, device);
}

static Task *runDevice(Work *work, System *system, Packet *packet) {
  if (packet) {
    work->pending = packet;
    return hold(system);
  }
  Packet *done = work->pending;
  if (!done) return suspend(system);
  work->pending = NULL;
  return send(system, done);
}

static Packet *packets(int count, int task, bool isWork) {
  Packet *queue = NULL;
  for (int i = 0; i < count; i++) {
    Packet *packet = calloc(1, sizeof(Packet));
    packet->next = queue;
    packet->task = task;
    packet->isWork = isWork;
    queue = packet;
  }
  return queue;
}

static Work *newWork(Run *run) {
  Work *work = calloc(1, sizeof(Work));
  work->run = run;
  return work;
}

int main(int argc, char **argv) {
  System *system = calloc(1, sizeof(System));
  Work *idle = newWork(runIdle);
  idle->rounds = atoi(argv[1]);
  idle->control = 1;
  Work *worker = newWork(runWorker);
  worker->handler = HANDLER_A;
  add(system, IDLE, 0, NULL, idle)->suspended = false;
  add(system, WORKER, 1000, packets(2, WORKER, true), worker);
  add(system, HANDLER_A, 2000, packets(3, DEVICE_A, false), newWork(runHandler));
  add(system, HANDLER_B, 3000, packets(3, DEVICE_B, false), newWork(runHandler));
  add(system, DEVICE_A, 4000, NULL, newWork(runDevice));
  add(system, DEVICE_B, 5000, NULL, newWork(runDevice));
  schedule(system);
  printf("%d packets queued\n%d holds\n", system->queued, system->holds);
  return 0;
}
