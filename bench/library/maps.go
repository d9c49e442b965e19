// Maps of numbers and of texts: insert, find, remove.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

func key(i int) int64 { return int64(i) * -7046029254386353131 }

func told(what string, start time.Time, n int) {
	fmt.Printf("%s %.2f\n", what, float64(time.Since(start).Nanoseconds())/float64(n))
}

func numbers(n int) int64 {
	m := make(map[int64]int64)
	start := time.Now()
	for i := 0; i < n; i++ {
		m[key(i)] = int64(i)
	}
	told("long-insert", start, n)
	start = time.Now()
	var sum int64
	for i := 0; i < n; i++ {
		sum += m[key(i)]
	}
	told("long-find", start, n)
	start = time.Now()
	for i := 0; i < n; i++ {
		sum += m[key(i)]
		delete(m, key(i))
	}
	told("long-remove", start, n)
	return sum + int64(len(m))
}

func texts(n int) int64 {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = "key" + strconv.FormatInt(key(i), 10)
	}
	m := make(map[string]int32)
	start := time.Now()
	for i := 0; i < n; i++ {
		m[keys[i]] = int32(i)
	}
	told("text-insert", start, n)
	start = time.Now()
	var sum int64
	for i := 0; i < n; i++ {
		sum += int64(m[keys[i]])
	}
	told("text-find", start, n)
	start = time.Now()
	for i := 0; i < n; i++ {
		sum += int64(m[keys[i]])
		delete(m, keys[i])
	}
	told("text-remove", start, n)
	return sum + int64(len(m))
}

func main() {
	n, _ := strconv.Atoi(os.Args[1])
	fmt.Println("sum", numbers(n)+texts(n))
}
