//! Logistic regression on chunked data: scale, split, fit, score.

use musher::Compute;
use musher::ml::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (x, y) = make_classification(100_000, Classification::columns(20).seed(1).chunks(10_000))?;
    let split = train_test_split(&x, &y, TestPart::share(0.2).seed(2))?;
    let scaler = StandardScaler::new().fit(&split.x_train)?;
    let (train, test) = (scaler.transform(&split.x_train)?, scaler.transform(&split.x_test)?);

    let model = LogisticRegression::new().fit((&train, &split.y_train))?;
    let accuracy = model.score(&test, &split.y_test)?;
    println!("{}\n", accuracy.explain()?);
    println!("{model:?}\n");
    println!("accuracy on {} rows the model has not seen: {:.3}", test.shape()[0], accuracy.compute()?);
    Ok(())
}
