const SOLAR_MASS = 4.0 * 3.141592653589793 * 3.141592653589793;
const DAYS_PER_YEAR = 365.24;

class Body {
  constructor(x, y, z, vx, vy, vz, mass) {
    this.x = x;
    this.y = y;
    this.z = z;
    this.vx = vx;
    this.vy = vy;
    this.vz = vz;
    this.mass = mass;
  }
}

function planet(x, y, z, vx, vy, vz, mass) {
  return new Body(x, y, z, vx * DAYS_PER_YEAR, vy * DAYS_PER_YEAR, vz * DAYS_PER_YEAR, mass * SOLAR_MASS);
}

function solarSystem() {
  const bodies = [planet(0, 0, 0, 0, 0, 0, 1)];
  // Jupiter
  bodies[1] = planet(4.8414314424647209, -1.16032004402742839, -0.103622044471123109,
      0.00166007664274403694, 0.00769901118419740425, -0.0000690460016972063023, 0.000954791938424326609);
  // Saturn
  bodies[2] = planet(8.34336671824457987, 4.12479856412430479, -0.403523417114321381,
      -0.00276742510726411057, 0.00499852801234917238, 0.0000230417297573763929, 0.000285885980666130812);
  // Uranus
  bodies[3] = planet(12.894369562139131, -15.1111514016986312, -0.223307578892655734,
      0.00296460137564761618, 0.0023784717395948095, -0.0000296589568540237556, 0.0000436624404335156298);
  // Neptune
  bodies[4] = planet(15.3796971148509165, -25.9193146099879641, 0.179258772950371181,
      0.00268067772490389322, 0.00162824170038242295, -0.000095159225451971587, 0.0000515138902046611451);
  return bodies;
}

function restSun(bodies) {
  const sun = bodies[0];
  for (let i = 1; i < bodies.length; i++) {
    const b = bodies[i];
    sun.vx -= b.vx * b.mass / SOLAR_MASS;
    sun.vy -= b.vy * b.mass / SOLAR_MASS;
    sun.vz -= b.vz * b.mass / SOLAR_MASS;
  }
}

function energy(bodies) {
  let sum = 0.0;
  for (let i = 0; i < bodies.length; i++) {
    const a = bodies[i];
    sum += 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz);
    for (let j = i + 1; j < bodies.length; j++) {
      const b = bodies[j];
      const dx = a.x - b.x;
      const dy = a.y - b.y;
      const dz = a.z - b.z;
      sum -= a.mass * b.mass / Math.sqrt(dx * dx + dy * dy + dz * dz);
    }
  }
  return sum;
}

function advance(bodies, time) {
  const n = bodies.length;
  for (let i = 0; i < n; i++) {
    const a = bodies[i];
    for (let j = i + 1; j < n; j++) {
      const b = bodies[j];
      const dx = a.x - b.x;
      const dy = a.y - b.y;
      const dz = a.z - b.z;
      const squared = dx * dx + dy * dy + dz * dz;
      const pull = time / (squared * Math.sqrt(squared));
      a.vx -= dx * b.mass * pull;
      a.vy -= dy * b.mass * pull;
      a.vz -= dz * b.mass * pull;
      b.vx += dx * a.mass * pull;
      b.vy += dy * a.mass * pull;
      b.vz += dz * a.mass * pull;
    }
  }
  for (let i = 0; i < n; i++) {
    const b = bodies[i];
    b.x += time * b.vx;
    b.y += time * b.vy;
    b.z += time * b.vz;
  }
}

const steps = Number(process.argv[2]);
const bodies = solarSystem();
restSun(bodies);
console.log(energy(bodies).toFixed(9));
for (let step = 0; step < steps; step++) advance(bodies, 0.01);
console.log(energy(bodies).toFixed(9));
