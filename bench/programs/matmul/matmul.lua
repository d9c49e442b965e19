local function matrix(n, seed)
  local rows = {}
  for i = 0, n - 1 do
    local row = {}
    for j = 0, n - 1 do row[j] = ((i * seed + j * 7) % 11) / 8.0 end
    rows[i] = row
  end
  return rows
end

local function multiply(a, b, c, n)
  for i = 0, n - 1 do
    local rowA, rowC = a[i], c[i]
    for j = 0, n - 1 do
      local sum = 0.0
      for k = 0, n - 1 do sum = sum + rowA[k] * b[k][j] end
      rowC[j] = sum
    end
  end
end

local n = tonumber(arg[1])
local c = matrix(n, 1)
multiply(matrix(n, 3), matrix(n, 5), c, n)
local trace = 0.0
for i = 0, n - 1 do trace = trace + c[i][i] end
print(string.format("%d", math.floor(trace * 64.0)))
