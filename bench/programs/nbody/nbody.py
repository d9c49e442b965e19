import math
import sys

SOLAR_MASS = 4.0 * 3.141592653589793 * 3.141592653589793
DAYS_PER_YEAR = 365.24


class Body:
    def __init__(self, x, y, z, vx, vy, vz, mass):
        self.x = x
        self.y = y
        self.z = z
        self.vx = vx
        self.vy = vy
        self.vz = vz
        self.mass = mass


def planet(x, y, z, vx, vy, vz, mass):
    return Body(x, y, z, vx * DAYS_PER_YEAR, vy * DAYS_PER_YEAR, vz * DAYS_PER_YEAR, mass * SOLAR_MASS)


def solar_system():
    bodies = [planet(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)] * 5
    # Jupiter
    bodies[1] = planet(
        4.8414314424647209,
        -1.16032004402742839,
        -0.103622044471123109,
        0.00166007664274403694,
        0.00769901118419740425,
        -0.0000690460016972063023,
        0.000954791938424326609,
    )
    # Saturn
    bodies[2] = planet(
        8.34336671824457987,
        4.12479856412430479,
        -0.403523417114321381,
        -0.00276742510726411057,
        0.00499852801234917238,
        0.0000230417297573763929,
        0.000285885980666130812,
    )
    # Uranus
    bodies[3] = planet(
        12.894369562139131,
        -15.1111514016986312,
        -0.223307578892655734,
        0.00296460137564761618,
        0.0023784717395948095,
        -0.0000296589568540237556,
        0.0000436624404335156298,
    )
    # Neptune
    bodies[4] = planet(
        15.3796971148509165,
        -25.9193146099879641,
        0.179258772950371181,
        0.00268067772490389322,
        0.00162824170038242295,
        -0.000095159225451971587,
        0.0000515138902046611451,
    )
    return bodies


def rest_sun(bodies):
    sun = bodies[0]
    for i in range(1, len(bodies)):
        b = bodies[i]
        sun.vx -= b.vx * b.mass / SOLAR_MASS
        sun.vy -= b.vy * b.mass / SOLAR_MASS
        sun.vz -= b.vz * b.mass / SOLAR_MASS


def energy(bodies):
    total = 0.0
    for i in range(len(bodies)):
        a = bodies[i]
        total += 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz)
        for j in range(i + 1, len(bodies)):
            b = bodies[j]
            dx = a.x - b.x
            dy = a.y - b.y
            dz = a.z - b.z
            total -= a.mass * b.mass / math.sqrt(dx * dx + dy * dy + dz * dz)
    return total


def advance(bodies, time):
    n = len(bodies)
    for i in range(n):
        a = bodies[i]
        for j in range(i + 1, n):
            b = bodies[j]
            dx = a.x - b.x
            dy = a.y - b.y
            dz = a.z - b.z
            squared = dx * dx + dy * dy + dz * dz
            pull = time / (squared * math.sqrt(squared))
            a.vx -= dx * b.mass * pull
            a.vy -= dy * b.mass * pull
            a.vz -= dz * b.mass * pull
            b.vx += dx * a.mass * pull
            b.vy += dy * a.mass * pull
            b.vz += dz * a.mass * pull
    for i in range(n):
        b = bodies[i]
        b.x += time * b.vx
        b.y += time * b.vy
        b.z += time * b.vz


steps = int(sys.argv[1])
bodies = solar_system()
rest_sun(bodies)
print(f"{energy(bodies):.9f}")
for _ in range(steps):
    advance(bodies, 0.01)
print(f"{energy(bodies):.9f}")
