const SHALLOWEST = 4;

class Tree {
  constructor(left, right) {
    this.left = left;
    this.right = right;
  }

  count() {
    if (this.left === null) return 1;
    return 1 + this.left.count() + this.right.count();
  }
}

function tree(depth) {
  if (depth === 0) return new Tree(null, null);
  return new Tree(tree(depth - 1), tree(depth - 1));
}

const deepest = Number(process.argv[2]);
console.log(tree(deepest + 1).count());
const longLived = tree(deepest);
for (let depth = SHALLOWEST; depth <= deepest; depth += 2) {
  const rounds = 1 << (deepest - depth + SHALLOWEST);
  let nodes = 0;
  for (let round = 0; round < rounds; round++) nodes += tree(depth).count();
  console.log(`${rounds} ${depth} ${nodes}`);
}
console.log(longLived.count());
