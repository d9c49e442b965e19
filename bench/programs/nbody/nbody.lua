local SOLAR_MASS = 4.0 * 3.141592653589793 * 3.141592653589793
local DAYS_PER_YEAR = 365.24
local BODIES = 5

local function planet(x, y, z, vx, vy, vz, mass)
  return {
    x = x, y = y, z = z,
    vx = vx * DAYS_PER_YEAR, vy = vy * DAYS_PER_YEAR, vz = vz * DAYS_PER_YEAR,
    mass = mass * SOLAR_MASS,
  }
end

local function solarSystem()
  local bodies = {}
  bodies[1] = planet(0, 0, 0, 0, 0, 0, 1)
  -- Jupiter
  bodies[2] = planet(4.8414314424647209, -1.16032004402742839, -0.103622044471123109,
      0.00166007664274403694, 0.00769901118419740425, -0.0000690460016972063023, 0.000954791938424326609)
  -- Saturn
  bodies[3] = planet(8.34336671824457987, 4.12479856412430479, -0.403523417114321381,
      -0.00276742510726411057, 0.00499852801234917238, 0.0000230417297573763929, 0.000285885980666130812)
  -- Uranus
  bodies[4] = planet(12.894369562139131, -15.1111514016986312, -0.223307578892655734,
      0.00296460137564761618, 0.0023784717395948095, -0.0000296589568540237556, 0.0000436624404335156298)
  -- Neptune
  bodies[5] = planet(15.3796971148509165, -25.9193146099879641, 0.179258772950371181,
      0.00268067772490389322, 0.00162824170038242295, -0.000095159225451971587, 0.0000515138902046611451)
  return bodies
end

local function restSun(bodies)
  local sun = bodies[1]
  for i = 2, BODIES do
    local b = bodies[i]
    sun.vx = sun.vx - b.vx * b.mass / SOLAR_MASS
    sun.vy = sun.vy - b.vy * b.mass / SOLAR_MASS
    sun.vz = sun.vz - b.vz * b.mass / SOLAR_MASS
  end
end

local function energy(bodies)
  local sum = 0.0
  for i = 1, BODIES do
    local a = bodies[i]
    sum = sum + 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz)
    for j = i + 1, BODIES do
      local b = bodies[j]
      local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
      sum = sum - a.mass * b.mass / math.sqrt(dx * dx + dy * dy + dz * dz)
    end
  end
  return sum
end

local function advance(bodies, time)
  for i = 1, BODIES do
    local a = bodies[i]
    for j = i + 1, BODIES do
      local b = bodies[j]
      local dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
      local squared = dx * dx + dy * dy + dz * dz
      local pull = time / (squared * math.sqrt(squared))
      a.vx = a.vx - dx * b.mass * pull
      a.vy = a.vy - dy * b.mass * pull
      a.vz = a.vz - dz * b.mass * pull
      b.vx = b.vx + dx * a.mass * pull
      b.vy = b.vy + dy * a.mass * pull
      b.vz = b.vz + dz * a.mass * pull
    end
  end
  for i = 1, BODIES do
    local b = bodies[i]
    b.x = b.x + time * b.vx
    b.y = b.y + time * b.vy
    b.z = b.z + time * b.vz
  end
end

local steps = tonumber(arg[1])
local bodies = solarSystem()
restSun(bodies)
print(string.format("%.9f", energy(bodies)))
for step = 1, steps do advance(bodies, 0.01) end
print(string.format("%.9f", energy(bodies)))
