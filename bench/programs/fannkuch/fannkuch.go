package main

import (
	"fmt"
	"os"
	"strconv"
)

func fannkuch(n int) int {
	perm := make([]int, n)
	perm1 := make([]int, n)
	count := make([]int, n)
	maxFlips := 0
	checksum := 0
	permCount := 0
	r := n
	for i := 0; i < n; i++ {
		perm1[i] = i
	}
	for {
		for r != 1 {
			count[r-1] = r
			r--
		}
		for i := 0; i < n; i++ {
			perm[i] = perm1[i]
		}
		flips := 0
		k := perm[0]
		for k != 0 {
			k2 := (k + 1) >> 1
			for i := 0; i < k2; i++ {
				temp := perm[i]
				perm[i] = perm[k-i]
				perm[k-i] = temp
			}
			flips++
			k = perm[0]
		}
		if flips > maxFlips {
			maxFlips = flips
		}
		if permCount%2 == 0 {
			checksum += flips
		} else {
			checksum -= flips
		}
		for {
			if r == n {
				fmt.Println(checksum)
				return maxFlips
			}
			perm0 := perm1[0]
			for i := 0; i < r; i++ {
				perm1[i] = perm1[i+1]
			}
			perm1[r] = perm0
			count[r]--
			if count[r] > 0 {
				break
			}
			r++
		}
		permCount++
	}
}

func main() {
	n, _ := strconv.Atoi(os.Args[1])
	flips := fannkuch(n)
	fmt.Printf("Pfannkuchen(%d) = %d\n", n, flips)
}
