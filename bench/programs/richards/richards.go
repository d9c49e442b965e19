package main

import (
	"fmt"
	"os"
	"strconv"
)

const (
	idleTask = iota
	workerTask
	handlerA
	handlerB
	deviceA
	deviceB
	taskCount
)

const packetSize = 4

type packet struct {
	next           *packet
	task, position int
	isWork         bool
	data           [packetSize]int
}

func (p *packet) appendTo(queue *packet) *packet {
	p.next = nil
	if queue == nil {
		return p
	}
	last := queue
	for last.next != nil {
		last = last.next
	}
	last.next = p
	return queue
}

type work interface {
	run(s *system, p *packet) *task
}

type task struct {
	next                       *task
	number, priority           int
	queue                      *packet
	work                       work
	held, suspended, hasPacket bool
}

func (t *task) canRun() bool {
	return !t.held && (t.hasPacket || !t.suspended)
}

func (t *task) run(s *system) *task {
	if !t.suspended || !t.hasPacket {
		return t.work.run(s, nil)
	}
	p := t.queue
	t.queue = p.next
	t.suspended = false
	t.hasPacket = t.queue != nil
	return t.work.run(s, p)
}

func (t *task) receive(p *packet, sender *task) *task {
	if t.queue != nil {
		t.queue = p.appendTo(t.queue)
		return sender
	}
	t.queue = p
	t.hasPacket = true
	return t.moreUrgent(sender)
}

func (t *task) moreUrgent(other *task) *task {
	if t.priority > other.priority {
		return t
	}
	return other
}

type system struct {
	tasks          [taskCount]*task
	first, current *task
	queued, holds  int
}

func (s *system) add(number, priority int, queue *packet, w work) *task {
	s.first = &task{next: s.first, number: number, priority: priority, queue: queue, work: w,
		suspended: true, hasPacket: queue != nil}
	s.tasks[number] = s.first
	return s.first
}

func (s *system) schedule() {
	s.current = s.first
	for s.current != nil {
		if s.current.canRun() {
			s.current = s.current.run(s)
		} else {
			s.current = s.current.next
		}
	}
}

func (s *system) hold() *task {
	s.holds++
	s.current.held = true
	return s.current.next
}

func (s *system) suspend() *task {
	s.current.suspended = true
	return s.current
}

func (s *system) release(number int) *task {
	t := s.tasks[number]
	t.held = false
	return t.moreUrgent(s.current)
}

func (s *system) send(p *packet) *task {
	receiver := s.tasks[p.task]
	s.queued++
	p.next = nil
	p.task = s.current.number
	return receiver.receive(p, s.current)
}

type idle struct {
	rounds, control int
}

func (w *idle) run(s *system, p *packet) *task {
	w.rounds--
	if w.rounds == 0 {
		return s.hold()
	}
	odd := w.control&1 != 0
	w.control >>= 1
	if !odd {
		return s.release(deviceA)
	}
	w.control ^= 0xD008
	return s.release(deviceB)
}

type worker struct {
	handler, letter int
}

func (w *worker) run(s *system, p *packet) *task {
	if p == nil {
		return s.suspend()
	}
	w.handler = handlerA + handlerB - w.handler
	p.task = w.handler
	p.position = 0
	for i := 0; i < packetSize; i++ {
		w.letter = w.letter%26 + 1
		p.data[i] = w.letter
	}
	return s.send(p)
}

type handler struct {
	workQueue, deviceQueue *packet
}

func (w *handler) run(s *system, p *packet) *task {
	if p != nil {
		w.accept(p)
	}
	job := w.workQueue
	if job == nil {
		return s.suspend()
	}
	if job.position == packetSize {
		w.workQueue = job.next
		return s.send(job)
	}
	device := w.deviceQueue
	if device == nil {
		return s.suspend()
	}
	w.deviceQueue = device.next
	device.position = job.data[job.position]
	job.position++
	return s.send(device)
}

func (w *handler) accept(p *packet) {
	if p.isWork {
		w.workQueue = p.appendTo(w.workQueue)
	} else {
		w.deviceQueue = p.appendTo(w.deviceQueue)
	}
}

type device struct {
	pending *packet
}

func (w *device) run(s *system, p *packet) *task {
	if p != nil {
		w.pending = p
		return s.hold()
	}
	done := w.pending
	if done == nil {
		return s.suspend()
	}
	w.pending = nil
	return s.send(done)
}

func packets(count, task int, isWork bool) *packet {
	var queue *packet
	for i := 0; i < count; i++ {
		queue = &packet{next: queue, task: task, isWork: isWork}
	}
	return queue
}

func main() {
	rounds, _ := strconv.Atoi(os.Args[1])
	s := &system{}
	s.add(idleTask, 0, nil, &idle{rounds, 1}).suspended = false
	s.add(workerTask, 1000, packets(2, workerTask, true), &worker{handler: handlerA})
	s.add(handlerA, 2000, packets(3, deviceA, false), &handler{})
	s.add(handlerB, 3000, packets(3, deviceB, false), &handler{})
	s.add(deviceA, 4000, nil, &device{})
	s.add(deviceB, 5000, nil, &device{})
	s.schedule()
	fmt.Println(s.queued, "packets queued")
	fmt.Println(s.holds, "holds")
}
