import sys

STEPS = 50


def mandelbrot(n):
    inside = 0
    steps = 0
    for row in range(n):
        ci = 2.0 * row / n - 1.0
        for column in range(n):
            cr = 2.0 * column / n - 1.5
            zr = zi = squared_r = squared_i = 0.0
            i = 0
            while i < STEPS and squared_r + squared_i <= 4.0:
                zi = 2.0 * zr * zi + ci
                zr = squared_r - squared_i + cr
                squared_r = zr * zr
                squared_i = zi * zi
                i += 1
            if squared_r + squared_i <= 4.0:
                inside += 1
            steps += i
    print(inside, steps)


mandelbrot(int(sys.argv[1]))
