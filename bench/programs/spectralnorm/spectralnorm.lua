local function element(i, j)
  return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1)
end

local function times(n, v, product)
  for i = 0, n - 1 do
    local sum = 0.0
    for j = 0, n - 1 do sum = sum + element(i, j) * v[j] end
    product[i] = sum
  end
end

local function transposedTimes(n, v, product)
  for i = 0, n - 1 do
    local sum = 0.0
    for j = 0, n - 1 do sum = sum + element(j, i) * v[j] end
    product[i] = sum
  end
end

local function dot(n, a, b)
  local sum = 0.0
  for i = 0, n - 1 do sum = sum + a[i] * b[i] end
  return sum
end

local n = tonumber(arg[1])
local u, v, between = {}, {}, {}
for i = 0, n - 1 do u[i] = 1.0 end
for round = 1, 10 do
  times(n, u, between)
  transposedTimes(n, between, v)
  times(n, v, between)
  transposedTimes(n, between, u)
end
print(string.format("%.9f", math.sqrt(dot(n, u, v) / dot(n, v, v))))
