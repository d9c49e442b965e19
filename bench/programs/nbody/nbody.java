class Main {
  static final double SOLAR_MASS = 4.0 * 3.141592653589793 * 3.141592653589793;
  static final double DAYS_PER_YEAR = 365.24;

  static class Body {
    double x, y, z, vx, vy, vz, mass;
  }

  static Body planet(double x, double y, double z, double vx, double vy, double vz, double mass) {
    Body body = new Body();
    body.x = x;
    body.y = y;
    body.z = z;
    body.vx = vx * DAYS_PER_YEAR;
    body.vy = vy * DAYS_PER_YEAR;
    body.vz = vz * DAYS_PER_YEAR;
    body.mass = mass * SOLAR_MASS;
    return body;
  }

  static Body[] solarSystem() {
    Body[] bodies = new Body[5];
    bodies[0] = planet(0, 0, 0, 0, 0, 0, 1);
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

  static void restSun(Body[] bodies) {
    Body sun = bodies[0];
    for (int i = 1; i < bodies.length; i++) {
      Body b = bodies[i];
      sun.vx -= b.vx * b.mass / SOLAR_MASS;
      sun.vy -= b.vy * b.mass / SOLAR_MASS;
      sun.vz -= b.vz * b.mass / SOLAR_MASS;
    }
  }

  static double energy(Body[] bodies) {
    double sum = 0.0;
    for (int i = 0; i < bodies.length; i++) {
      Body a = bodies[i];
      sum += 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz);
      for (int j = i + 1; j < bodies.length; j++) {
        Body b = bodies[j];
        double dx = a.x - b.x;
        double dy = a.y - b.y;
        double dz = a.z - b.z;
        sum -= a.mass * b.mass / Math.sqrt(dx * dx + dy * dy + dz * dz);
      }
    }
    return sum;
  }

  static void advance(Body[] bodies, double time) {
    int n = bodies.length;
    for (int i = 0; i < n; i++) {
      Body a = bodies[i];
      for (int j = i + 1; j < n; j++) {
        Body b = bodies[j];
        double dx = a.x - b.x;
        double dy = a.y - b.y;
        double dz = a.z - b.z;
        double squared = dx * dx + dy * dy + dz * dz;
        double pull = time / (squared * Math.sqrt(squared));
        a.vx -= dx * b.mass * pull;
        a.vy -= dy * b.mass * pull;
        a.vz -= dz * b.mass * pull;
        b.vx += dx * a.mass * pull;
        b.vy += dy * a.mass * pull;
        b.vz += dz * a.mass * pull;
      }
    }
    for (int i = 0; i < n; i++) {
      Body b = bodies[i];
      b.x += time * b.vx;
      b.y += time * b.vy;
      b.z += time * b.vz;
    }
  }

  public static void main(String[] arguments) {
    int steps = Integer.parseInt(arguments[0]);
    Body[] bodies = solarSystem();
    restSun(bodies);
    System.out.printf("%.9f\n", energy(bodies));
    for (int step = 0; step < steps; step++) advance(bodies, 0.01);
    System.out.printf("%.9f\n", energy(bodies));
  }
}
