using System.Globalization;
using System.Net;
using System.Text;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Protocol.Problems;

/// <summary>Formats problems as plain text.</summary>
internal static class ProblemMessage
{
    private const int MaxSubproblemsShown = 20;
    private const int MaxDescription = 4000;

    /// <summary>Formats a problem, such as "rejectedIdentifier: detail; name: caa: detail".</summary>
    public static string Describe(AcmeProblem problem)
    {
        var text = new StringBuilder();
        AppendOne(text, problem);
        foreach (var subproblem in problem.Subproblems.Take(MaxSubproblemsShown))
        {
            text.Append("; ").Append(subproblem.Identifier?.Value ?? "(no name)").Append(": ");
            AppendOne(text, subproblem);
        }

        if (problem.Subproblems.Count > MaxSubproblemsShown)
        {
            text.Append(CultureInfo.InvariantCulture, $"; and {problem.Subproblems.Count - MaxSubproblemsShown} more");
        }

        if (problem.Algorithms.Count > 0)
        {
            text.Append(" The server accepts ").AppendJoin(", ", problem.Algorithms).Append('.');
        }

        return text.Length <= MaxDescription ? text.ToString() : text.ToString(0, MaxDescription) + "…";
    }

    /// <summary>Formats the exception message for an error response.</summary>
    public static string Refused(string operation, Uri url, HttpStatusCode status, AcmeProblem? problem, TimeSpan? retryAfter, string? hint)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{operation} failed: {QuotedText.Of(url)} answered {(int)status}");
        text.Append(problem is null ? " without saying why" : " " + Describe(problem));
        if (text[^1] is not ('.' or '!' or '?'))
        {
            text.Append('.');
        }

        if (retryAfter is { } wait)
        {
            text.Append(CultureInfo.InvariantCulture, $" It asks to wait {Math.Ceiling(wait.TotalSeconds)} s before the next attempt.");
        }

        if (problem?.Instance is { } instance)
        {
            text.Append(CultureInfo.InvariantCulture, $" See {QuotedText.Of(instance)}.");
        }

        return hint is null ? text.ToString() : text.Append(' ').Append(hint).ToString();
    }

    private static void AppendOne(StringBuilder text, AcmeProblem problem)
    {
        text.Append(problem.ShortType);
        if (problem.Detail.Length > 0)
        {
            text.Append(": ").Append(problem.Detail);
        }
    }
}
