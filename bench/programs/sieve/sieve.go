package main

import (
	"fmt"
	"os"
	"strconv"
)

const limit = 1000000

func sieve(composite []bool) int {
	count := 0
	for i := 0; i < limit; i++ {
		composite[i] = false
	}
	for i := 2; i < limit; i++ {
		if !composite[i] {
			count++
			for k := i + i; k < limit; k += i {
				composite[k] = true
			}
		}
	}
	return count
}

func main() {
	rounds, _ := strconv.Atoi(os.Args[1])
	composite := make([]bool, limit)
	sum := 0
	for round := 0; round < rounds; round++ {
		sum += sieve(composite)
	}
	fmt.Println(sum)
}
