namespace KestrelAcme.Benchmarks.Handshakes;

/// <summary>The mean of paired ratios with its 95 % confidence interval.</summary>
internal sealed record Ratio(double Mean, double Low, double High)
{
    // Student's t for a two-sided 95 %, by degrees of freedom from 14 on; close to 2 from there.
    private static readonly double[] Quantiles =
    [
        2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045,
    ];

    public static Ratio Of(IReadOnlyList<double> numerators, IReadOnlyList<double> denominators)
    {
        // Ratios are averaged as logarithms: twice as much and half as much cancel out.
        var logarithms = numerators.Zip(denominators, (a, b) => Math.Log(a / b)).ToArray();
        var mean = logarithms.Average();
        var variance = logarithms.Sum(value => (value - mean) * (value - mean)) / (logarithms.Length - 1);
        var freedom = logarithms.Length - 1;
        var quantile = freedom < 14 ? 2.5 : freedom - 14 < Quantiles.Length ? Quantiles[freedom - 14] : 2.0;
        var half = quantile * Math.Sqrt(variance / logarithms.Length);
        return new Ratio(Math.Exp(mean), Math.Exp(mean - half), Math.Exp(mean + half));
    }

    public override string ToString() => $"{Mean:0.00} ({Low:0.00} to {High:0.00})";
}
