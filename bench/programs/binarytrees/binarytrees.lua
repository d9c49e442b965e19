local SHALLOWEST = 4

local function tree(depth)
  if depth == 0 then return { left = nil, right = nil } end
  return { left = tree(depth - 1), right = tree(depth - 1) }
end

local function count(node)
  if not node.left then return 1 end
  return 1 + count(node.left) + count(node.right)
end

local deepest = tonumber(arg[1])
print(string.format("%d", count(tree(deepest + 1))))
local longLived = tree(deepest)
for depth = SHALLOWEST, deepest, 2 do
  local rounds = 2 ^ (deepest - depth + SHALLOWEST)
  local nodes = 0
  for round = 1, rounds do nodes = nodes + count(tree(depth)) end
  print(string.format("%d %d %d", rounds, depth, nodes))
end
print(string.format("%d", count(longLived)))
