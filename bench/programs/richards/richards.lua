local bit = require("bit")

local IDLE, WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B = 0, 1, 2, 3, 4, 5
local PACKET_SIZE = 4

local function class()
  local made = {}
  made.__index = made
  return made
end

local Packet, Task, System = class(), class(), class()
local Idle, Worker, Handler, Device = class(), class(), class(), class()

local function newPacket(next, task, isWork)
  local packet = { next = next, task = task, position = 0, isWork = isWork, data = { 0, 0, 0, 0 } }
  return setmetatable(packet, Packet)
end

function Packet:appendTo(queue)
  self.next = nil
  if not queue then return self end
  local last = queue
  while last.next do last = last.next end
  last.next = self
  return queue
end

local function newTask(next, number, priority, queue, work)
  return setmetatable({
    next = next, number = number, priority = priority, queue = queue, work = work,
    held = false, suspended = true, hasPacket = queue ~= nil,
  }, Task)
end

function Task:canRun()
  return not self.held and (self.hasPacket or not self.suspended)
end

function Task:run(system)
  if not self.suspended or not self.hasPacket then return self.work:run(system, nil) end
  local packet = self.queue
  self.queue = packet.next
  self.suspended = false
  self.hasPacket = self.queue ~= nil
  return self.work:run(system, packet)
end

function Task:receive(packet, sender)
  if self.queue then
    self.queue = packet:appendTo(self.queue)
    return sender
  end
  self.queue = packet
  self.hasPacket = true
  return self:moreUrgent(sender)
end

function Task:moreUrgent(other)
  if self.priority > other.priority then return self end
  return other
end

function System:add(number, priority, queue, work)
  self.first = newTask(self.first, number, priority, queue, work)
  self.tasks[number] = self.first
  return self.first
end

function System:schedule()
  self.current = self.first
  while self.current do
    if self.current:canRun() then
      self.current = self.current:run(self)
    else
      self.current = self.current.next
    end
  end
end

function System:hold()
  self.holds = self.holds + 1
  self.current.held = true
  return self.current.next
end

function System:suspend()
  self.current.suspended = true
  return self.current
end

function System:release(number)
  local task = self.tasks[number]
  task.held = false
  return task:moreUrgent(self.current)
end

function System:send(packet)
  local receiver = self.tasks[packet.task]
  self.queued = self.queued + 1
  packet.next = nil
  packet.task = self.current.number
  return receiver:receive(packet, self.current)
end

function Idle:run(system, packet)
  self.rounds = self.rounds - 1
  if self.rounds == 0 then return system:hold() end
  local odd = bit.band(self.control, 1) ~= 0
  self.control = bit.arshift(self.control, 1)
  if not odd then return system:release(DEVICE_A) end
  self.control = bit.bxor(self.control, 0xD008)
  return system:release(DEVICE_B)
end

function Worker:run(system, packet)
  if not packet then return system:suspend() end
  self.handler = HANDLER_A + HANDLER_B - self.handler
  packet.task = self.handler
  packet.position = 0
  for i = 1, PACKET_SIZE do
    self.letter = self.letter % 26 + 1
    packet.data[i] = self.letter
  end
  return system:send(packet)
end

function Handler:run(system, packet)
  if packet then self:accept(packet) end
  local work = self.workQueue
  if not work then return system:suspend() end
  if work.position == PACKET_SIZE then
    self.workQueue = work.next
    return system:send(work)
  end
  local device = self.deviceQueue
  if not device then return system:suspend() end
  self.deviceQueue = device.next
  device.position = work.data[work.position + 1]
  work.position = work.position + 1
  return system:send(device)
end

function Handler:accept(packet)
  if packet.isWork then
    self.workQueue = packet:appendTo(self.workQueue)
  else
    self.deviceQueue = packet:appendTo(self.deviceQueue)
  end
end

function Device:run(system, packet)
  if packet then
    self.pending = packet
    return system:hold()
  end
  local done = self.pending
  if not done then return system:suspend() end
  self.pending = nil
  return system:send(done)
end

local function packets(count, task, isWork)
  local queue = nil
  for i = 1, count do queue = newPacket(queue, task, isWork) end
  return queue
end

local system = setmetatable({ tasks = {}, queued = 0, holds = 0 }, System)
local idle = setmetatable({ rounds = tonumber(arg[1]), control = 1 }, Idle)
system:add(IDLE, 0, nil, idle).suspended = false
system:add(WORKER, 1000, packets(2, WORKER, true), setmetatable({ handler = HANDLER_A, letter = 0 }, Worker))
system:add(HANDLER_A, 2000, packets(3, DEVICE_A, false), setmetatable({}, Handler))
system:add(HANDLER_B, 3000, packets(3, DEVICE_B, false), setmetatable({}, Handler))
system:add(DEVICE_A, 4000, nil, setmetatable({}, Device))
system:add(DEVICE_B, 5000, nil, setmetatable({}, Device))
system:schedule()
print(string.format("%d packets queued", system.queued))
print(string.format("%d holds", system.holds))
