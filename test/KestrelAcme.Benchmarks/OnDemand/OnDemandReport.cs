using System.Globalization;

namespace KestrelAcme.Benchmarks.OnDemand;

/// <summary>
/// Certificates on demand: the first visit of a name beside Caddy's, a thousand new names at once, and a scanner. Each part can be run
/// alone.
/// </summary>
internal static class OnDemandReport
{
    /// <param name="arguments">
    /// <c>first [rounds]</c>, <c>many [names] [connections] [seconds]</c>, <c>scanner [seconds] [connections]</c>; nothing for all of them.
    /// </param>
    public static async Task<int> RunAsync(string[] arguments)
    {
        switch (arguments.FirstOrDefault())
        {
            case null:
                return Math.Max(
                    Math.Max(await FirstVisits.RunAsync(20), await ManyNames.RunAsync(1000, 4000, 10)), await Scanner.RunAsync(60, 64));
            case "first":
                return await FirstVisits.RunAsync(Number(arguments, 1, 20));
            case "many":
                return await ManyNames.RunAsync(Number(arguments, 1, 1000), Number(arguments, 2, 4000), Number(arguments, 3, 10));
            case "scanner":
                return await Scanner.RunAsync(Number(arguments, 1, 60), Number(arguments, 2, 64));
            case OnDemandServers.Child:
                return await OnDemandServers.RunChildAsync();
            default:
                Console.Error.WriteLine(
                    "ondemand [first [rounds] | many [names] [connections] [seconds] | scanner [seconds] [connections]]");
                return 2;
        }
    }

    /// <summary>Returns the median, and the range in parentheses.</summary>
    public static string Span(IReadOnlyCollection<double> values)
        => values.Count == 0 ? "none" : $"{Text(Middle(values))} ({Text(values.Min())} to {Text(values.Max())})";

    public static double Middle(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    public static string Text(double value, string format = "0.0") => value.ToString(format, CultureInfo.InvariantCulture);

    private static int Number(string[] arguments, int index, int otherwise)
        => arguments.Length > index ? int.Parse(arguments[index], CultureInfo.InvariantCulture) : otherwise;
}
