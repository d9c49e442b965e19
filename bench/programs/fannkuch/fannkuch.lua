local function fannkuch(n)
  local perm, perm1, count = {}, {}, {}
  local maxFlips, checksum, permCount = 0, 0, 0
  local r = n
  for i = 0, n - 1 do perm1[i] = i end
  while true do
    while r ~= 1 do
      count[r - 1] = r
      r = r - 1
    end
    for i = 0, n - 1 do perm[i] = perm1[i] end
    local flips = 0
    local k = perm[0]
    while k ~= 0 do
      local k2 = (k + 1 - (k + 1) % 2) / 2
      for i = 0, k2 - 1 do
        local temp = perm[i]
        perm[i] = perm[k - i]
        perm[k - i] = temp
      end
      flips = flips + 1
      k = perm[0]
    end
    if flips > maxFlips then maxFlips = flips end
    if permCount % 2 == 0 then
      checksum = checksum + flips
    else
      checksum = checksum - flips
    end
    while true do
      if r == n then
        print(string.format("%d", checksum))
        return maxFlips
      end
      local perm0 = perm1[0]
      for i = 0, r - 1 do perm1[i] = perm1[i + 1] end
      perm1[r] = perm0
      count[r] = count[r] - 1
      if count[r] > 0 then break end
      r = r + 1
    end
    permCount = permCount + 1
  end
end

local n = tonumber(arg[1])
local flips = fannkuch(n)
print(string.format("Pfannkuchen(%d) = %d", n, flips))
