package main

import (
	"fmt"
	"os"
	"strconv"
)

func matrix(n, seed int) [][]float64 {
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = make([]float64, n)
		for j := range rows[i] {
			rows[i][j] = float64((i*seed+j*7)%11) / 8.0
		}
	}
	return rows
}

func multiply(a, b, c [][]float64, n int) {
	for i := 0; i < n; i++ {
		rowA := a[i]
		rowC := c[i]
		for j := 0; j < n; j++ {
			sum := 0.0
			for k := 0; k < n; k++ {
				sum += rowA[k] * b[k][j]
			}
			rowC[j] = sum
		}
	}
}

func main() {
	n, _ := strconv.Atoi(os.Args[1])
	c := matrix(n, 1)
	multiply(matrix(n, 3), matrix(n, 5), c, n)
	trace := 0.0
	for i := 0; i < n; i++ {
		trace += c[i][i]
	}
	fmt.Println(int64(trace * 64.0))
}
