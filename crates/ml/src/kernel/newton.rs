//! Newton's method on summed pieces: asks for the sums at some coefficients, is told them, and asks again until done.
//!
//! It holds no data and starts no work, so that the same steps run whether a pass over the data takes microseconds or
//! hours, and so that each step can be tested by itself.

use super::logistic::LogisticSums;
use super::solve::solve_semi_definite;

/// What does not change from step to step.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// Coefficients of one output, the intercept (if there is one) being the last.
    pub(crate) width: usize,
    /// Coefficient vectors: one for two classes, else one per class.
    pub(crate) outputs: usize,
    /// Whether the last coefficient of each output is an intercept, which no penalty holds down.
    pub(crate) intercept: bool,
    /// Weight of the squared coefficients against the summed loss: 1 / C, or 0 for none.
    pub(crate) ridge: f64,
    /// Largest derivative of the mean loss at which the fit is good.
    pub(crate) tolerance: f64,
    /// Largest number of steps.
    pub(crate) max_iterations: usize,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Next {
    /// Sum the pieces at these coefficients and report them.
    Evaluate(Vec<f64>),
    /// The fit is good.
    Done {
        /// The coefficients.
        coefficients: Vec<f64>,
        /// Steps that it took.
        iterations: usize,
    },
    /// The fit is not good, and will not be by more of the same.
    Failed {
        /// Steps taken.
        iterations: usize,
        /// Largest derivative of the mean loss at the best coefficients.
        gradient: f64,
    },
}

/// The best coefficients so far.
struct Best {
    coefficients: Vec<f64>,
    /// Mean loss with the penalty.
    objective: f64,
    /// Largest derivative.
    gradient: f64,
    /// Where the next step leads.
    direction: Vec<f64>,
    /// How fast the objective falls along it (negative).
    slope: f64,
}

/// The state between two reports.
pub(crate) struct Newton {
    problem: Problem,
    iterations: usize,
    best: Option<Best>,
    /// Share of the full step that is being tried.
    share: f64,
    trial: Vec<f64>,
}

/// A step is halved at most this often: by then it is below the rounding of the coefficients.
const SMALLEST_SHARE: f64 = 1.0 / (1u64 << 40) as f64;

/// The share of the promised fall that a step must bring (Armijo).
const SUFFICIENT: f64 = 1e-4;

impl Newton {
    /// Starts at zero.
    pub(crate) fn new(problem: Problem) -> (Self, Next) {
        let trial = vec![0.0; problem.width * problem.outputs];
        let next = Next::Evaluate(trial.clone());
        (Newton { problem, iterations: 0, best: None, share: 1.0, trial }, next)
    }

    /// Takes the sums at the coefficients last asked for.
    pub(crate) fn report(&mut self, sums: &LogisticSums) -> Next {
        let rows = sums.rows as f64;
        let ridge = self.problem.ridge / rows;
        let penalty: f64 = self.held_down().map(|i| self.trial[i] * self.trial[i]).sum::<f64>() * ridge / 2.0;
        let objective = sums.loss / rows + penalty;
        if let Some(best) = &self.best {
            // Rounding of the two objectives may hide a fall as small as this.
            let rounding = 8.0 * f64::EPSILON * best.objective.abs();
            let fell = objective <= best.objective + SUFFICIENT * self.share * best.slope + rounding;
            if !fell || !objective.is_finite() {
                return self.shorten();
            }
        }
        self.accept(sums, objective, ridge)
    }

    /// The trial is no better: tries half of the step.
    fn shorten(&mut self) -> Next {
        self.share /= 2.0;
        let best = self.best.as_ref().expect("a step starts at the best coefficients");
        if self.share < SMALLEST_SHARE {
            return Next::Failed { iterations: self.iterations, gradient: best.gradient };
        }
        self.trial = step(best, self.share);
        Next::Evaluate(self.trial.clone())
    }

    /// The trial is the best so far: looks from there.
    fn accept(&mut self, sums: &LogisticSums, objective: f64, ridge: f64) -> Next {
        let rows = sums.rows as f64;
        let coefficients = std::mem::take(&mut self.trial);
        let mut gradient: Vec<f64> = sums.gradient.iter().map(|sum| sum / rows).collect();
        let side = gradient.len();
        let mut hessian: Vec<f64> = sums.hessian.iter().map(|sum| sum / rows).collect();
        for i in self.held_down() {
            gradient[i] += ridge * coefficients[i];
            hessian[i * side + i] += ridge;
        }
        self.fix_common_shift(&mut hessian);
        let largest = gradient.iter().fold(0.0, |acc: f64, value| acc.max(value.abs()));
        if largest <= self.problem.tolerance {
            return Next::Done { coefficients, iterations: self.iterations };
        }
        let failed = Next::Failed { iterations: self.iterations, gradient: largest };
        if self.iterations == self.problem.max_iterations {
            return failed;
        }
        let Some(mut direction) = solve_semi_definite(&hessian, &gradient) else { return failed };
        direction.iter_mut().for_each(|value| *value = -*value);
        let slope: f64 = direction.iter().zip(&gradient).map(|(d, g)| d * g).sum();
        if slope >= 0.0 || !slope.is_finite() {
            return failed;
        }
        let best = Best { coefficients, objective, gradient: largest, direction, slope };
        self.iterations += 1;
        self.share = 1.0;
        self.trial = step(&best, 1.0);
        self.best = Some(best);
        Next::Evaluate(self.trial.clone())
    }

    /// Indices of the coefficients that the penalty holds down.
    fn held_down(&self) -> impl Iterator<Item = usize> + use<> {
        let (width, intercept) = (self.problem.width, self.problem.intercept);
        (0..width * self.problem.outputs).filter(move |i| !intercept || i % width + 1 < width)
    }

    /// With several classes the same number added to one coefficient of all of them changes no probability. A curve put
    /// into just those directions makes the system definite where no penalty does; as the gradient has no part there,
    /// neither has the step, and the answer keeps the sum over the classes at zero, as scikit-learn's does.
    fn fix_common_shift(&self, hessian: &mut [f64]) {
        let Problem { width, outputs, intercept, ridge, .. } = self.problem;
        if outputs == 1 {
            return;
        }
        let side = width * outputs;
        for column in 0..width {
            if ridge > 0.0 && !(intercept && column + 1 == width) {
                continue;
            }
            let diagonal: f64 = (0..outputs).map(|k| k * width + column).map(|i| hessian[i * side + i]).sum();
            for one in 0..outputs {
                for other in 0..outputs {
                    hessian[(one * width + column) * side + other * width + column] +=
                        diagonal / outputs as f64;
                }
            }
        }
    }
}

fn step(best: &Best, share: f64) -> Vec<f64> {
    best.coefficients.iter().zip(&best.direction).map(|(from, by)| from + share * by).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::super::logistic::logistic_sums;
    use super::*;

    fn problem(width: usize, outputs: usize, ridge: f64) -> Problem {
        Problem { width, outputs, intercept: true, ridge, tolerance: 1e-10, max_iterations: 50 }
    }

    impl LogisticSums {
        fn with(mut self, slope: f64, curve: f64) -> Self {
            (self.gradient[0], self.hessian[0]) = (slope, curve);
            self
        }
    }

    fn run(x: &Array2<f64>, targets: &[u32], problem: Problem) -> (Next, usize) {
        let n_classes = if problem.outputs == 1 { 2 } else { problem.outputs };
        let intercept = problem.intercept;
        let (mut newton, mut next) = Newton::new(problem);
        let mut passes = 0;
        while let Next::Evaluate(at) = &next {
            passes += 1;
            next = newton.report(&logistic_sums(x.view(), targets, at, n_classes, intercept, 0));
        }
        (next, passes)
    }

    fn coefficients(next: Next) -> Vec<f64> {
        match next {
            Next::Done { coefficients, .. } => coefficients,
            other => panic!("not done: {other:?}"),
        }
    }

    #[test]
    fn an_intercept_alone_is_the_log_odds() {
        let targets = [1, 1, 1, 0];
        let found = coefficients(run(&Array2::zeros((4, 0)), &targets, problem(1, 1, 0.0)).0);
        assert!((found[0] - 3f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn one_pass_per_step_is_enough_on_kind_data() {
        let x = Array2::from_shape_fn((200, 2), |(i, j)| ((i * (7 + j)) % 13) as f64 - 6.0);
        let targets: Vec<u32> = (0..200).map(|i| u32::from((i * 29) % 17 < 8 + i % 3)).collect();
        let (next, passes) = run(&x, &targets, problem(3, 1, 1.0));
        assert!(
            matches!(next, Next::Done { iterations, .. } if iterations + 1 == passes && passes < 8),
            "{passes}"
        );
    }

    #[test]
    fn a_step_that_raises_the_loss_is_halved_until_it_falls() {
        let sums = |loss, slope| LogisticSums { rows: 1, loss, ..LogisticSums::empty(1) }.with(slope, 1.0);
        let (mut newton, next) = Newton::new(problem(1, 1, 0.0));
        assert_eq!(next, Next::Evaluate(vec![0.0]));
        // The slope is 8 and the curve 1, so the full step goes to -8.
        assert_eq!(newton.report(&sums(10.0, 8.0)), Next::Evaluate(vec![-8.0]));
        assert_eq!(newton.report(&sums(11.0, -8.0)), Next::Evaluate(vec![-4.0]));
        assert_eq!(newton.report(&sums(f64::INFINITY, -8.0)), Next::Evaluate(vec![-2.0]));
        // Taken: the next step starts there, at full length.
        assert_eq!(newton.report(&sums(9.0, 0.5)), Next::Evaluate(vec![-2.5]));
        assert_eq!(newton.report(&sums(8.0, 0.0)), Next::Done { coefficients: vec![-2.5], iterations: 2 });
    }

    #[test]
    fn steps_that_never_help_end_the_search() {
        let (mut newton, _) = Newton::new(problem(1, 1, 0.0));
        let sums = LogisticSums { rows: 1, loss: 1.0, ..LogisticSums::empty(1) }.with(1.0, 1.0);
        let mut next = newton.report(&sums);
        let worse = LogisticSums { loss: 2.0, ..sums };
        let mut passes = 0;
        while let Next::Evaluate(_) = next {
            passes += 1;
            next = newton.report(&worse);
        }
        assert_eq!((next, passes), (Next::Failed { iterations: 1, gradient: 1.0 }, 41));
    }

    #[test]
    fn classes_share_no_common_shift() {
        let x = Array2::from_shape_fn((90, 2), |(i, j)| ((i * (5 + j)) % 11) as f64 / 5.0);
        let targets: Vec<u32> = (0..90).map(|i| (i * i % 7 % 3) as u32).collect();
        for ridge in [0.0, 1.0] {
            let found = coefficients(run(&x, &targets, problem(3, 3, ridge)).0);
            for column in 0..3 {
                let sum: f64 = (0..3).map(|k| found[k * 3 + column]).sum();
                assert!(sum.abs() < 1e-9, "{sum}");
            }
        }
    }

    #[test]
    fn twin_columns_share_the_coefficient() {
        let x = Array2::from_shape_fn((60, 2), |(i, _)| ((i * 7) % 13) as f64 - 6.0);
        let targets: Vec<u32> = (0..60).map(|i| u32::from((i * 11) % 19 < 9)).collect();
        let found = coefficients(run(&x, &targets, problem(3, 1, 0.0)).0);
        assert!((found[0] - found[1]).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn too_few_steps_are_said() {
        let x = Array2::from_shape_fn((60, 1), |(i, _)| i as f64);
        let targets: Vec<u32> = (0..60).map(|i| u32::from(i + i % 7 > 30)).collect();
        let (next, _) = run(&x, &targets, Problem { max_iterations: 1, ..problem(2, 1, 1.0) });
        assert!(matches!(next, Next::Failed { iterations: 1, gradient } if gradient > 1e-10), "{next:?}");
    }
}
