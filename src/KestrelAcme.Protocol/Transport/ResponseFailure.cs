using System.Net;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Transport;

/// <summary>Turns an answer that is an error into an exception.</summary>
internal static class ResponseFailure
{
    public static AcmeException From(AcmeResponse answer)
    {
        var call = answer.Call;
        if (answer.IsRedirect)
        {
            return new AcmeException(
                $"{call.Operation} failed: {call.Url} answered {(int)answer.Status}, a redirect, which is not followed. {call.Hint}".TrimEnd())
            {
                Operation = call.Operation,
                Url = call.Url,
                StatusCode = answer.Status,
            };
        }

        var problem = answer.ReadProblem();
        var message = ProblemMessage.Refused(call.Operation, call.Url, answer.Status, problem, answer.RetryAfter, call.Hint);
        var help = answer.Links.FirstOrDefault(link => link.Relation == "help" && link.Url.Scheme == Uri.UriSchemeHttps)?.Url;
        if (IsRateLimit(answer, problem))
        {
            return new AcmeRateLimitedException(message)
            {
                Problem = problem,
                StatusCode = answer.Status,
                RetryAfter = answer.RetryAfter,
                MayHaveTakenEffect = (int)answer.Status >= 500 && call.HasEffect,
                Operation = call.Operation,
                Url = call.Url,
                HelpUrl = help,
            };
        }

        return new AcmeException(message)
        {
            Problem = problem,
            StatusCode = answer.Status,
            RetryAfter = answer.RetryAfter,
            Operation = call.Operation,
            Url = call.Url,
            HelpUrl = help,
            MayHaveTakenEffect = (int)answer.Status >= 500 && call.HasEffect,
            IsRepeatable = call.IsRepeatable,
            // A gateway's error page says nothing about what became of the request behind it; "not now, but later" does.
            RequestMayHaveBeenProcessed = !call.IsRepeatable && problem is null && (int)answer.Status >= 500 && !IsPostponed(answer),
        };
    }

    private static bool IsRateLimit(AcmeResponse answer, AcmeProblem? problem) =>
        answer.Status == HttpStatusCode.TooManyRequests
        || problem?.Is(AcmeProblemTypes.RateLimited) == true;

    // A service that is down, or overloaded, and says until when: that is no limit that the client has reached.
    private static bool IsPostponed(AcmeResponse answer) => answer.Status == HttpStatusCode.ServiceUnavailable && answer.RetryAfter is not null;
}
