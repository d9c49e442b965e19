function element(i, j) {
  return 1.0 / (((i + j) * (i + j + 1)) / 2 + i + 1);
}

function times(v, product) {
  for (let i = 0; i < v.length; i++) {
    let sum = 0.0;
    for (let j = 0; j < v.length; j++) sum += element(i, j) * v[j];
    product[i] = sum;
  }
}

function transposedTimes(v, product) {
  for (let i = 0; i < v.length; i++) {
    let sum = 0.0;
    for (let j = 0; j < v.length; j++) sum += element(j, i) * v[j];
    product[i] = sum;
  }
}

function dot(a, b) {
  let sum = 0.0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

const n = Number(process.argv[2]);
const u = new Float64Array(n).fill(1.0);
const v = new Float64Array(n);
const between = new Float64Array(n);
for (let round = 0; round < 10; round++) {
  times(u, between);
  transposedTimes(between, v);
  times(v, between);
  transposedTimes(between, u);
}
console.log(Math.sqrt(dot(u, v) / dot(v, v)).toFixed(9));
