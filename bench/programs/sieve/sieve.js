const LIMIT = 1000000;

function sieve(composite) {
  let count = 0;
  for (let i = 0; i < LIMIT; i++) composite[i] = 0;
  for (let i = 2; i < LIMIT; i++) {
    if (!composite[i]) {
      count++;
      for (let k = i + i; k < LIMIT; k += i) composite[k] = 1;
    }
  }
  return count;
}

const rounds = Number(process.argv[2]);
const composite = new Uint8Array(LIMIT);
let sum = 0;
for (let round = 0; round < rounds; round++) sum += sieve(composite);
console.log(sum);
