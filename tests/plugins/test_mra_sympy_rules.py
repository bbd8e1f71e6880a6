"""The rules of comparison, each with its name, what it makes equal, and what it must keep apart. Both ways round."""

from __future__ import annotations

import pytest
from mra_sympy import Options, equivalent

Pairs = list[tuple[str, str]]

RULES: dict[str, tuple[Pairs, Pairs]] = {
    # rule: (equal, different)
    "a function's argument is no factor": (
        [("f(x+1)", "f(1+x)"), ("2f(x)", r"f(x)\cdot 2"), ("y(0)", "y(0)")],
        [
            ("f(2x)", "2f(x)"),
            ("f(g(x))", "g(f(x))"),
            ("f(3)", "3f"),
            ("P(A)+P(B)", "P(A+B)"),
            ("y(0)", "0"),
            (r"\phi(2n)", r"2\phi(n)"),
            ("I(0)e^{-t}", "I(0)e^{t}"),
        ],
    ),
    "a derivative is one symbol": (
        [
            (r"\frac{dy}{dx}", "y'"),
            (r"\frac{d^2y}{dx^2}", "y''"),
            (r"y^{\prime\prime}", "y''"),
            ("y^{(3)}", "y'''"),
            (r"\frac{dx}{dt}=kx-a", "x' = kx - a"),
            (r"\frac{\partial f}{\partial x}", "f_x"),
        ],
        [
            (r"\frac{dy}{dx}", r"\frac{y}{x}"),
            ("y'=2x", "y=2x"),
            ("f'(1)=3", "f(1)=3"),
            ("y^{(3)}", "y^3"),
            (r"\frac{\partial f}{\partial x}", r"\frac{\partial f}{\partial y}"),
        ],
    ),
    "each letter has a sign of its own": (
        [("|x+y|", "|-x-y|"), ("|x||y|", "|xy|"), (r"\sqrt{x^2y^2}", "|xy|")],
        [
            ("|x+y|", "|x|+|y|"),
            ("|x||y|", "xy"),
            (r"\sqrt{x^2}", "x"),
            (r"\sqrt[3]{x^3}", "|x|"),
            (r"\sqrt{x^2+2xy+y^2}", "|x|+|y|"),
        ],
    ),
    "an odd root of a negative number is the real one": (
        [(r"\sqrt[3]{-8}", "-2"), (r"\sqrt[3]{2+\sqrt5}+\sqrt[3]{2-\sqrt5}", "1"), (r"\sqrt[3]{x^3}", "x")],
        [(r"\sqrt[3]{-8}", "2"), (r"\sqrt[4]{x^4}", "x")],
    ),
    "steps are tried at integers too": (
        [(r"\lfloor \frac{n+1}{2} \rfloor", r"\lceil \frac n2 \rceil"), (r"\cos(n\pi)", "(-1)^n")],
        [
            (r"\lceil x \rceil", r"\lfloor x \rfloor + 1"),
            (r"\lfloor x \rfloor", r"\lceil x-1 \rceil"),
            (r"mn-\lfloor m/2\rfloor", r"mn-\lfloor n/2\rfloor"),
            (r"\lfloor x\rfloor", r"\lfloor y\rfloor"),
        ],
    ),
    "two exclamation marks are a double factorial": (
        [("6!!", "48"), ("7!!", "105")],
        [("6!!", "720!"), ("n!!", "(n!)!")],
    ),
    "binomial coefficients in every notation": (
        [
            ("C_5^2", "10"),
            (r"C_{8}^{3}", r"\binom{8}{3}"),
            ("{}_8C_3", "56"),
            ("A_5^2", "20"),
            ("C(6,3)", "20"),
            (r"C_n^2", r"\frac{n(n-1)}{2}"),
        ],
        [("C_5^2", "20"), (r"C_{8}^{3}", r"\binom{9}{3}"), ("C_1^2", "2"), ("{}_8C_3", "8C_3")],
    ),
    "gcd and lcm of letters": (
        [(r"\gcd(m,n)", r"\gcd(n,m)")],
        [(r"\gcd(m,n)", "1"), (r"\operatorname{lcm}(a,b)", "ab")],
    ),
    "conjugates, real and imaginary parts": (
        [(r"\overline{3+2i}", "3-2i"), (r"\overline{\overline{z}}", "z")],
        [(r"\overline{z}", "z"), (r"\operatorname{Re}(z)", "z"), (r"\overline{3+2i}", "3+2i")],
    ),
    "cis and the names of tangents elsewhere": (
        [
            (r"2 \operatorname{cis} \frac{\pi}{6}", r"\sqrt{3}+i"),
            (r"\operatorname{tg} x", r"\tan x"),
            (r"\operatorname{arctg} 2", r"\arctan 2"),
        ],
        [(r"\operatorname{cis} \frac{\pi}{6}", r"\sqrt{3}+i")],
    ),
    "sums, products, integrals and limits are worked out": (
        [
            (r"\sum_{k=1}^{n} k^2", r"\frac{n(n+1)(2n+1)}{6}"),
            (r"\prod_{i=1}^{n} i", "n!"),
            (r"\sum_{n=0}^{\infty} \frac{x^n}{n!}", "e^x"),
            (r"\sum_{n=1}^{\infty} x^{n-1}", r"\sum_{k=0}^{\infty} x^k"),
            (r"\int_0^1 x^2\,dx", r"\frac13"),
            (r"\lim_{x\to 0}\frac{\sin x}{x}", "1"),
            (r"\lim_{n\to\infty}\left(1+\frac1n\right)^n", "e"),
        ],
        [
            (r"\sum_{k=1}^{n} k", r"\frac{n(n-1)}{2}"),
            (r"\int_0^1 x^2\,dx", r"\int_0^1 x^3\,dx"),
            (r"\sum_{n=0}^{\infty} \frac{1}{n!}", r"\sum_{n=1}^{\infty} \frac{1}{n!}"),
        ],
    ),
    "dots stand for themselves": (
        [
            (r"1+x+x^2+\cdots", "1+x+x^2+..."),
            (r"1-\frac{x^{2}}{2}+\cdots", r"1 - \frac{x^2}{2!} + \ldots"),
            (r"\{1,2,\ldots,10\}", r"\{1,2,3,4,5,6,7,8,9,10\}"),
        ],
        [(r"1+x+x^2+\cdots", r"1+x+x^3+\cdots"), (r"\{1,2,\ldots,10\}", r"\{1,2,10\}")],
    ),
    "a matrix is worked out": (
        [
            (
                r"\frac17\begin{pmatrix}3&-1\\1&2\end{pmatrix}",
                r"\left[\begin{array}{rr}\frac{3}{7} & -\frac{1}{7} \\ \frac{1}{7} & \frac{2}{7}\end{array}\right]",
            ),
            (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", "[[1,2],[3,4]]"),
            (r"\begin{vmatrix}1&2\\3&4\end{vmatrix}", "-2"),
            (r"\begin{bmatrix}2&1\\1&1\end{bmatrix}^{-1}", r"\begin{bmatrix}1&-1\\-1&2\end{bmatrix}"),
            (
                r"\begin{pmatrix}1&2\\0&1\end{pmatrix}\begin{pmatrix}1\\1\end{pmatrix}",
                r"\begin{pmatrix}3\\1\end{pmatrix}",
            ),
            (r"\begin{pmatrix}1\\2\\3\end{pmatrix}", "(1,2,3)^T"),
        ],
        [
            (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{pmatrix}1&3\\2&4\end{pmatrix}"),
            (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{vmatrix}1&2\\3&4\end{vmatrix}"),
            (r"\begin{pmatrix}1&2\end{pmatrix}", r"\begin{pmatrix}1&2&3\end{pmatrix}"),
        ],
    ),
    "vectors in every notation": (
        [
            (r"\langle 1,2,3\rangle", "(1,2,3)"),
            (r"\langle 1,2 \rangle", r"\begin{pmatrix}1\\2\end{pmatrix}"),
            (r"\langle 2,-1,3 \rangle", r"2\hat{i}-\hat{j}+3\hat{k}"),
            (r"\mathbf{i}+2\mathbf{j}", "(1,2)"),
            (r"\overrightarrow{AB}=(1,-1)", "(1,-1)"),
            ("A(1,2)", "(1,2)"),
            (r"\frac{1}{45}(7,4)", r"(\frac{7}{45},\frac{4}{45})"),
            (r"\vec{r}=(1,2)+t(3,4)", r"\vec{r}=(1,2)+s(3,4)"),
        ],
        [
            (r"2\mathbf{i}+3\mathbf{j}", r"2\mathbf{i}+3\mathbf{k}"),
            (r"\vec{a}\times\vec{b}", r"\vec{b}\times\vec{a}"),
            (r"\vec{a}\cdot\vec{b}", r"\vec{a}\times\vec{b}"),
            ("A(1,2),B(3,4)", "A(3,4),B(1,2)"),
            ("(1,2,3)", "(1,3,2)"),
            (r"\langle 1,2\rangle", "[1,2)"),
        ],
    ),
    "conditions describe one set of numbers": (
        [
            (r"x<1 \text{ or } x>3", r"(-\infty,1)\cup(3,\infty)"),
            ("x>0 and x<5", "(0,5)"),
            ("1<x<3", r"x>1 \wedge x<3"),
            (r"|x| \le 2", "[-2,2]"),
            ("|x-1|<2", "(-1,3)"),
            ("x^2<4", "-2<x<2"),
            ("2x>4", "x>2"),
            ("-x<3", "x>-3"),
            ("x-3<0", "x<3"),
            (r"x > 2 \text{ or } x = 2", r"[2,\infty)"),
            (r"\frac{1}{x}>0", "x>0"),
        ],
        [
            (r"x<1 \text{ or } x>3", r"x<1 \text{ and } x>3"),
            ("1<x<3", "1<y<3"),
            ("1<x<3", r"1\le x<3"),
            ("|x|>2", "x>2"),
            ("2x>4", "x<2"),
            (r"x\ge 1", r"x>1"),
            ("x^2>4", "x>2"),
        ],
    ),
    "unions, intersections and differences are carried out": (
        [
            (r"(1,2)\cup[2,3)", "(1,3)"),
            (r"(1,5)\cap(3,8)", "(3,5)"),
            (r"\{1,2\}\cup\{3\}", r"\{1,2,3\}"),
            ("(7,9) U (3,5)", r"(3,5)\cup(7,9)"),
            (r"(-\infty,1)\cup(1,\infty)", r"\mathbb{R}\setminus\{1\}"),
            (r"x\ne 1", r"\mathbb{R}\setminus\{1\}"),
            (r"(-\infty,\infty)", r"\mathbb{R}"),
            ("all real numbers", "ℝ"),
            ("[2,2]", r"\{2\}"),
            ("]0,1[", "(0,1)"),
            (r"(-\infty,-1) \cup(-1, \infty)", r"\text{All real numbers except } -1"),
        ],
        [
            (r"(1,2)\cup(2,3)", "(1,3)"),
            (r"x\ne 1", r"\mathbb{R}"),
            (r"A\setminus B", r"B\setminus A"),
            ("]0,1]", "(0,1)"),
            (r"\mathbb{R}", r"\mathbb{Z}"),
            (r"(-\infty,0)", r"(-\infty,0]"),
        ],
    ),
    "set builders are read": (
        [
            (r"\{x|-2\leq x < 1\}", "[-2,1)"),
            (r"\{x \in \mathbb{R} : x>2\}", r"(2,\infty)"),
            (r"\{x \mid x^2=4\}", r"\{-2,2\}"),
            (r"\{x \in \mathbb{Z} : 0<x<4\}", r"\{1,2,3\}"),
            (r"\{2k \mid k \in \mathbb{Z}\}", r"\{x \mid x=2n, n\in\mathbb{Z}\}"),
        ],
        [
            (r"\{2k \mid k\in\mathbb{Z}\}", r"\{2k+1 \mid k\in\mathbb{Z}\}"),
            (r"\{n^2 \mid n\in\mathbb{N}\}", r"\{n^3\mid n\in\mathbb{N}\}"),
            (r"\{x|x\ge 1\}", r"\{x|x>1\}"),
        ],
    ),
    "a set among values is not its member": (
        [(r"\{\{1\},\{2\}\}", r"\{\{2\},\{1\}\}")],
        [(r"\{\{1\},\{2\}\}", r"\{1,2\}")],
    ),
    "general solutions by their members": (
        [
            (r"x=2k\pi, k\in\mathbb{Z}", r"2n\pi, n \in \mathbb{Z}"),
            (r"\frac{\pi}{2}+n\pi", r"\frac{\pi}{2}+k\pi, k \in \mathbb{Z}"),
            (r"\frac{\pi}{2}+n\pi, n\in\mathbb{Z}", r"-\frac{\pi}{2}+n\pi, n\in\mathbb{Z}"),
            (
                r"x=\frac{\pi}{6}+2k\pi \text{ or } x=\frac{5\pi}{6}+2k\pi",
                r"x = \frac{5\pi}{6}+2n\pi, \frac{\pi}{6}+2n\pi",
            ),
            (
                r"(k\pi-\frac{\pi}{3},k\pi+\frac{\pi}{6})(k\in\mathbb{Z})",
                r"(-\frac{\pi}{3}+k\pi,k\pi+\frac{\pi}{6}), k \in \mathbb Z",
            ),
        ],
        [
            (r"x=2k\pi, k\in\mathbb{Z}", r"x=k\pi, k\in\mathbb{Z}"),
            (r"x=k\pi, k\in\mathbb{Z}", r"x=k\pi, k\in\mathbb{R}"),
            (r"\frac{\pi}{3}+n\pi", r"\frac{\pi}{6}+n\pi"),
            ("n^2", "k^2"),
        ],
    ),
    "remainders": (
        [(r"x \equiv 3 \pmod 7", r"3 \pmod{7}"), (r"x \equiv 3 \pmod 7", r"x \equiv -4 \pmod 7")],
        [(r"x \equiv 3 \pmod 7", r"x \equiv 4 \pmod 7"), (r"x \equiv 3 \pmod 7", r"x \equiv 3 \pmod 5")],
    ),
    "functions by cases are worked out": (
        [
            (r"f(x)=\begin{cases} x & x\ge 0 \\ -x & x<0 \end{cases}", "|x|"),
            (
                r"\begin{cases} 1 & x> 0 \\ 0 & x\le 0 \end{cases}",
                r"\begin{cases} 0 & \text{if } x \leq 0 \\ 1 & \text{otherwise} \end{cases}",
            ),
            (
                r"\begin{cases} n & n \text{ even} \\ 0 & n \text{ odd} \end{cases}",
                r"\begin{cases} 0 & n \text{ odd} \\ n & n \text{ even} \end{cases}",
            ),
        ],
        [
            (r"\begin{cases} 1 & x> 0 \\ 0 & x\le 0 \end{cases}", r"\begin{cases} 1 & x\ge 0 \\ 0 & x<0 \end{cases}"),
            (r"\begin{cases} x & x\ge 0 \\ -x & x<0 \end{cases}", "x"),
        ],
    ),
    "systems and assignments by name": (
        [
            (r"\begin{cases} x=1 \\ y=2 \end{cases}", "x=1, y=2"),
            ("(x,y)=(1,2)", "(y,x)=(2,1)"),
            ("(x,y,z)=(4,1,1)", "x=4, y=z=1"),
            ("x=1, y=2", "(1,2)"),
            (r"x=1 \text{ or } x=2", "x_1 = 2, x_2 = 1"),
            ("a=b=-2", "a=-2, b=-2"),
        ],
        [
            ("x=1, y=2", "x=2, y=1"),
            ("(x,y)=(1,2)", "(y,x)=(1,2)"),
            ("(x, y, z)=(4,1,1)", "x=1, y=4, z=1"),
            ("x=3", "y=3"),
        ],
    ),
    "an equation that says what something is": (
        [
            ("3 + 2 = 5", "5"),
            (r"f(\pi)=4\pi^2-1", r"4\pi^2-1"),
            ("c_1c_2=116-75i", "116-75i"),
            (r"A\cap B=\{1\}", r"\{1\}"),
            ("f(x)=x+1 for all x", "f(x)=1+x"),
            (r"f(x)=\frac{1}{x}", r"f(t)=\frac{1}{t}"),
            ("C(h)=4h+4", "C = 4(h+1)"),
        ],
        [
            ("x+y=5", "5"),
            ("x^2+y^2=25", "25"),
            ("7 = 11a + c", "11a + c"),
            ("f(x)=2x", "g(x)=3x"),
            ("h(x) = f(2x)", "h(x)=2f(x)"),
        ],
    ),
    "constants of integration": (
        [
            (r"\frac{x^2}{2}+C", r"0.5x^2 + K"),
            (r"\frac{x^2}{2}+C", r"\frac{x^2+C}{2}"),
            (r"\sin^2 x + C", r"-\cos^2 x + C"),
            ("y=c_1 e^{x}+c_2 e^{-x}", "y = C_1 e^{-x} + C_2 e^{x}"),
            ("y=c_1 e^{x}+c_2 e^{-x}", "y = Ae^x+Be^{-x}"),
            ("y=Ce^{2x}", "y = Ke^{2x}"),
        ],
        [
            (r"\frac{x^2}{2}+C", r"\frac{x^2}{2}"),
            (r"\frac{x^2}{2}+C", "x^2+C"),
            ("y=Ce^{2x}", "y = e^{2x}+C"),
            ("C", "K"),
            ("A+B", "C+B"),
            ("Cx", "Cx^2"),
        ],
    ),
    "plus-minus signs": (
        [
            (r"\pm 1", "1, -1"),
            (r"\{ \pm 1, \pm i\}", r"\{1,-1,i,-i\}"),
            (r"(-1\pm\sqrt{3}, 0)", r"(-1+\sqrt3,0),(-1-\sqrt3,0)"),
            (r"\pm 1 \pm i", "1+i, 1-i, -1+i, -1-i"),
            (r"1 \pm 2, 1 \mp 2", "3, -1"),
        ],
        [(r"\pm 1", "1"), (r"2\pm\sqrt3", r"2+\sqrt3"), (r"\pm 1", r"\pm 2")],
    ),
    "several formulas in dollar signs are one list": (
        [
            (r"$10^{100}$,$10^{1 / 100}$", r"10^{100}, 10^{1/100}"),
            ("$x=-3$ or $x=11$", "-3, 11"),
            (r"$\frac12$ and $3$", "3, 0.5"),
        ],
        [("$1$, $2$", "1, 3"), ("$5 and $6", "5, 7")],
    ),
    "what only announces a value is left out": (
        [
            (r"\text{Center: } (-4, 1)", "(-4,1)"),
            ("Solution is: $x=3$", "3"),
            (r"\approx 17.10", "17.1"),
            (r"x<-7:(-\infty,-7)", r"(-\infty,-7)"),
        ],
        [(r"\text{Center: } (-4, 1)", "(4,1)"), ("Solution is: $x=3$", "4")],
    ),
    "degrees beside pi": (
        [(r"90^\circ", r"\frac{\pi}{2}"), (r"30^\circ, 150^\circ", r"\frac{\pi}{6}, \frac{5\pi}{6}")],
        [(r"90^\circ", r"\frac{\pi}{3}"), (r"\frac{270}{7}\text{ degrees}", r"\frac{270}{7}\text{ radians}")],
    ),
    "log without a base beside one with a base": (
        [(r"\log 2", r"\log_{10} 2"), (r"\log 2", r"\ln 2")],
        [(r"\ln 2", r"\log_{10} 2"), (r"\log_2 8", r"\log 8")],
    ),
    "values with thousands of digits": ([("10000!", "10000!")], [("10000!", "10001!"), ("9^{9^9}", "9^{9^8}")]),
    "equal to thirty digits is not equal": ([], [(r"e^{\pi\sqrt{163}}", "262537412640768744")]),
    "an index is no factor": ([("v0^2", "v_0^2"), ("n2^n", r"n\cdot 2^n")], [("x_1", "x_2"), ("n2^n", "n_2^n")]),
}


@pytest.mark.parametrize("rule", RULES)
def test_rule(rule: str) -> None:
    equal, different = RULES[rule]
    for pairs, expected in ((equal, True), (different, False)):
        for one, other in pairs:
            for gold, prediction in ((one, other), (other, one)):
                found = equivalent(gold, prediction)
                assert (found.correct is True) is expected, f"{gold} | {prediction}: {found.reason}"


@pytest.mark.parametrize(
    ("options", "gold", "prediction"),
    [
        (Options(rename_constants=False), r"\frac{x^2}{2}+C", r"\frac{x^2}{2}+K"),
        (Options(degrees_as_radians=False), r"90^\circ", r"\frac{\pi}{2}"),
    ],
)
def test_options_switch_a_rule_off(options: Options, gold: str, prediction: str) -> None:
    assert equivalent(gold, prediction).correct is True
    assert equivalent(gold, prediction, options).correct is False


def test_blanks_of_a_question_keep_their_order() -> None:
    assert equivalent("0;3", "3;0").correct is False
    assert equivalent("0;3", "0;3").correct is True
    assert equivalent("0;3", "3, 0").correct is True
    assert equivalent("0;3", "3;0", Options(ordered_blanks=False)).correct is True


def test_the_reason_says_what_the_verdict_rests_on() -> None:
    assert equivalent("(x+1)^2", "x^2+2x+1").reason.endswith("equals '(x+1)^2'.")
    assert "not by proof" in equivalent(r"\sin^2 x", r"1-\cos^2 x").reason
    assert "members" in equivalent(r"n\pi, n\in\mathbb{Z}", r"x = \pi k, k \in \mathbb{Z}").reason
    assert "rounded" in equivalent(r"\pi", "3.14159265").reason
