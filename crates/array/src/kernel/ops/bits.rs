//! Loops of `bool`.

use super::{
    BinaryKernel, BinaryOp, CompareKernel, CompareOp, CompareSelectKernel, Fault, Kernels, Lane, TestKernel,
    TestOp, UnaryKernel, UnaryOp, map1, map2, select_loop,
};

impl Kernels for bool {
    fn unary(op: UnaryOp) -> Option<UnaryKernel<bool, bool>> {
        match op {
            UnaryOp::Not => Some(|_, x, out| {
                map1(x, out, |x: bool| !x);
                Ok::<(), Fault>(())
            }),
            _ => None,
        }
    }

    fn test(_: TestOp) -> Option<TestKernel<bool>> {
        None
    }

    fn binary(op: BinaryOp) -> Option<BinaryKernel<bool>> {
        Some(match op {
            BinaryOp::And | BinaryOp::Min => |x, y, out| {
                map2(x, y, out, |x: bool, y: bool| x & y);
                Ok(())
            },
            BinaryOp::Or | BinaryOp::Max => |x, y, out| {
                map2(x, y, out, |x: bool, y: bool| x | y);
                Ok(())
            },
            BinaryOp::Xor => |x, y, out| {
                map2(x, y, out, |x: bool, y: bool| x ^ y);
                Ok(())
            },
            _ => return None,
        })
    }

    fn compare(op: CompareOp) -> Option<CompareKernel<bool>> {
        Some(match op {
            CompareOp::Eq => |x, y, out| map2(x, y, out, |x: bool, y: bool| x == y),
            CompareOp::Ne => |x, y, out| map2(x, y, out, |x: bool, y: bool| x != y),
            CompareOp::Lt => |x, y, out| map2(x, y, out, |x: bool, y: bool| !x & y),
            CompareOp::Gt => |x, y, out| map2(x, y, out, |x: bool, y: bool| x & !y),
            CompareOp::Le => |x, y, out| map2(x, y, out, |x: bool, y: bool| !x | y),
            CompareOp::Ge => |x, y, out| map2(x, y, out, |x: bool, y: bool| x | !y),
        })
    }

    fn compare_select(_: CompareOp) -> Option<CompareSelectKernel<bool>> {
        None
    }

    fn mul_add() -> Option<fn(Lane<'_, bool>, Lane<'_, bool>, Lane<'_, bool>, &mut [bool])> {
        None
    }

    fn select(cond: Lane<'_, bool>, a: Lane<'_, bool>, b: Lane<'_, bool>, out: &mut [bool]) {
        select_loop(cond, a, b, out);
    }
}
