const STEPS = 50;

function mandelbrot(n) {
  let inside = 0;
  let steps = 0;
  for (let row = 0; row < n; row++) {
    const ci = (2.0 * row) / n - 1.0;
    for (let column = 0; column < n; column++) {
      const cr = (2.0 * column) / n - 1.5;
      let zr = 0.0, zi = 0.0, squaredR = 0.0, squaredI = 0.0;
      let i = 0;
      while (i < STEPS && squaredR + squaredI <= 4.0) {
        zi = 2.0 * zr * zi + ci;
        zr = squaredR - squaredI + cr;
        squaredR = zr * zr;
        squaredI = zi * zi;
        i++;
      }
      if (squaredR + squaredI <= 4.0) inside++;
      steps += i;
    }
  }
  console.log(`${inside} ${steps}`);
}

mandelbrot(Number(process.argv[2]));
