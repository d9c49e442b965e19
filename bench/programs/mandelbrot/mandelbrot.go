package main

import (
	"fmt"
	"os"
	"strconv"
)

const limit = 50

func main() {
	n, _ := strconv.Atoi(os.Args[1])
	inside := 0
	steps := 0
	for row := 0; row < n; row++ {
		ci := 2.0*float64(row)/float64(n) - 1.0
		for column := 0; column < n; column++ {
			cr := 2.0*float64(column)/float64(n) - 1.5
			zr, zi, squaredR, squaredI := 0.0, 0.0, 0.0, 0.0
			i := 0
			for i < limit && squaredR+squaredI <= 4.0 {
				zi = 2.0*zr*zi + ci
				zr = squaredR - squaredI + cr
				squaredR = zr * zr
				squaredI = zi * zi
				i++
			}
			if squaredR+squaredI <= 4.0 {
				inside++
			}
			steps += i
		}
	}
	fmt.Println(inside, steps)
}
