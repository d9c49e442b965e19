function matrix(n, seed) {
  const rows = [];
  for (let i = 0; i < n; i++) {
    const row = new Float64Array(n);
    for (let j = 0; j < n; j++) row[j] = ((i * seed + j * 7) % 11) / 8.0;
    rows.push(row);
  }
  return rows;
}

function multiply(a, b, c, n) {
  for (let i = 0; i < n; i++) {
    const rowA = a[i];
    const rowC = c[i];
    for (let j = 0; j < n; j++) {
      let sum = 0.0;
      for (let k = 0; k < n; k++) sum += rowA[k] * b[k][j];
      rowC[j] = sum;
    }
  }
}

const n = Number(process.argv[2]);
const c = matrix(n, 1);
multiply(matrix(n, 3), matrix(n, 5), c, n);
let trace = 0.0;
for (let i = 0; i < n; i++) trace += c[i][i];
console.log(Math.trunc(trace * 64.0));
