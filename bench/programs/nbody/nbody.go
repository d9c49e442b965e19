package main

import (
	"fmt"
	"math"
	"os"
	"strconv"
)

const solarMass = 4.0 * 3.141592653589793 * 3.141592653589793
const daysPerYear = 365.24

type body struct {
	x, y, z, vx, vy, vz, mass float64
}

func planet(x, y, z, vx, vy, vz, mass float64) *body {
	return &body{x, y, z, vx * daysPerYear, vy * daysPerYear, vz * daysPerYear, mass * solarMass}
}

func solarSystem() []*body {
	bodies := make([]*body, 5)
	bodies[0] = planet(0, 0, 0, 0, 0, 0, 1)
	// Jupiter
	bodies[1] = planet(4.8414314424647209, -1.16032004402742839, -0.103622044471123109,
		0.00166007664274403694, 0.00769901118419740425, -0.0000690460016972063023, 0.000954791938424326609)
	// Saturn
	bodies[2] = planet(8.34336671824457987, 4.12479856412430479, -0.403523417114321381,
		-0.00276742510726411057, 0.00499852801234917238, 0.0000230417297573763929, 0.000285885980666130812)
	// Uranus
	bodies[3] = planet(12.894369562139131, -15.1111514016986312, -0.223307578892655734,
		0.00296460137564761618, 0.0023784717395948095, -0.0000296589568540237556, 0.0000436624404335156298)
	// Neptune
	bodies[4] = planet(15.3796971148509165, -25.9193146099879641, 0.179258772950371181,
		0.00268067772490389322, 0.00162824170038242295, -0.000095159225451971587, 0.0000515138902046611451)
	return bodies
}

func restSun(bodies []*body) {
	sun := bodies[0]
	for i := 1; i < len(bodies); i++ {
		b := bodies[i]
		sun.vx -= b.vx * b.mass / solarMass
		sun.vy -= b.vy * b.mass / solarMass
		sun.vz -= b.vz * b.mass / solarMass
	}
}

func energy(bodies []*body) float64 {
	sum := 0.0
	for i := 0; i < len(bodies); i++ {
		a := bodies[i]
		sum += 0.5 * a.mass * (a.vx*a.vx + a.vy*a.vy + a.vz*a.vz)
		for j := i + 1; j < len(bodies); j++ {
			b := bodies[j]
			dx := a.x - b.x
			dy := a.y - b.y
			dz := a.z - b.z
			sum -= a.mass * b.mass / math.Sqrt(dx*dx+dy*dy+dz*dz)
		}
	}
	return sum
}

func advance(bodies []*body, time float64) {
	n := len(bodies)
	for i := 0; i < n; i++ {
		a := bodies[i]
		for j := i + 1; j < n; j++ {
			b := bodies[j]
			dx := a.x - b.x
			dy := a.y - b.y
			dz := a.z - b.z
			squared := dx*dx + dy*dy + dz*dz
			pull := time / (squared * math.Sqrt(squared))
			a.vx -= dx * b.mass * pull
			a.vy -= dy * b.mass * pull
			a.vz -= dz * b.mass * pull
			b.vx += dx * a.mass * pull
			b.vy += dy * a.mass * pull
			b.vz += dz * a.mass * pull
		}
	}
	for i := 0; i < n; i++ {
		b := bodies[i]
		b.x += time * b.vx
		b.y += time * b.vy
		b.z += time * b.vz
	}
}

func main() {
	steps, _ := strconv.Atoi(os.Args[1])
	bodies := solarSystem()
	restSun(bodies)
	fmt.Printf("%.9f\n", energy(bodies))
	for step := 0; step < steps; step++ {
		advance(bodies, 0.01)
	}
	fmt.Printf("%.9f\n", energy(bodies))
}
