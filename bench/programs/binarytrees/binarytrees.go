package main

import (
	"fmt"
	"os"
	"strconv"
)

const shallowest = 4

type node struct {
	left, right *node
}

func (n *node) count() int {
	if n.left == nil {
		return 1
	}
	return 1 + n.left.count() + n.right.count()
}

func tree(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{tree(depth - 1), tree(depth - 1)}
}

func main() {
	deepest, _ := strconv.Atoi(os.Args[1])
	fmt.Println(tree(deepest + 1).count())
	longLived := tree(deepest)
	for depth := shallowest; depth <= deepest; depth += 2 {
		rounds := 1 << (deepest - depth + shallowest)
		nodes := 0
		for round := 0; round < rounds; round++ {
			nodes += tree(depth).count()
		}
		fmt.Println(rounds, depth, nodes)
	}
	fmt.Println(longLived.count())
}
