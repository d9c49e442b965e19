local STEPS = 50

local n = tonumber(arg[1])
local inside, steps = 0, 0
for row = 0, n - 1 do
  local ci = 2.0 * row / n - 1.0
  for column = 0, n - 1 do
    local cr = 2.0 * column / n - 1.5
    local zr, zi, squaredR, squaredI = 0.0, 0.0, 0.0, 0.0
    local i = 0
    while i < STEPS and squaredR + squaredI <= 4.0 do
      zi = 2.0 * zr * zi + ci
      zr = squaredR - squaredI + cr
      squaredR = zr * zr
      squaredI = zi * zi
      i = i + 1
    end
    if squaredR + squaredI <= 4.0 then inside = inside + 1 end
    steps = steps + i
  end
end
print(string.format("%d %d", inside, steps))
