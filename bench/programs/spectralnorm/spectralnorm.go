package main

import (
	"fmt"
	"math"
	"os"
	"strconv"
)

func element(i, j int) float64 {
	return 1.0 / float64((i+j)*(i+j+1)/2+i+1)
}

func times(v, product []float64) {
	for i := range v {
		sum := 0.0
		for j := range v {
			sum += element(i, j) * v[j]
		}
		product[i] = sum
	}
}

func transposedTimes(v, product []float64) {
	for i := range v {
		sum := 0.0
		for j := range v {
			sum += element(j, i) * v[j]
		}
		product[i] = sum
	}
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func main() {
	n, _ := strconv.Atoi(os.Args[1])
	u := make([]float64, n)
	v := make([]float64, n)
	between := make([]float64, n)
	for i := range u {
		u[i] = 1.0
	}
	for round := 0; round < 10; round++ {
		times(u, between)
		transposedTimes(between, v)
		times(v, between)
		transposedTimes(between, u)
	}
	fmt.Printf("%.9f\n", math.Sqrt(dot(u, v)/dot(v, v)))
}
