local LIMIT = 1000000

local function sieve(composite)
  local count = 0
  for i = 0, LIMIT - 1 do composite[i] = false end
  for i = 2, LIMIT - 1 do
    if not composite[i] then
      count = count + 1
      for k = i + i, LIMIT - 1, i do composite[k] = true end
    end
  end
  return count
end

local rounds = tonumber(arg[1])
local composite = {}
local sum = 0
for round = 1, rounds do sum = sum + sieve(composite) end
print(string.format("%d", sum))
