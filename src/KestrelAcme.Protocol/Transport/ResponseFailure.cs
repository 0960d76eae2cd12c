using System.Net;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Transport;

/// <summary>Converts an error response to an exception.</summary>
internal static class ResponseFailure
{
    public static AcmeException From(AcmeResponse response)
    {
        var call = response.Call;
        if (response.IsRedirect)
        {
            return new AcmeException(
                $"{call.Operation} failed: {call.Url} answered {(int)response.Status}, a redirect, which is not followed. {call.Hint}"
                    .TrimEnd())
            {
                Operation = call.Operation,
                Url = call.Url,
                StatusCode = response.Status,
            };
        }

        var problem = response.ReadProblem();
        var message = ProblemMessage.Refused(call.Operation, call.Url, response.Status, problem, response.RetryAfter, call.Hint);
        var help = response.Links.FirstOrDefault(link => link.Relation == "help" && link.Url.Scheme == Uri.UriSchemeHttps)?.Url;
        if (IsRateLimit(response, problem))
        {
            return new AcmeRateLimitedException(message)
            {
                Problem = problem,
                StatusCode = response.Status,
                RetryAfter = response.RetryAfter,
                MayHaveTakenEffect = (int)response.Status >= 500 && call.HasEffect,
                Operation = call.Operation,
                Url = call.Url,
                HelpUrl = help,
            };
        }

        return new AcmeException(message)
        {
            Problem = problem,
            StatusCode = response.Status,
            RetryAfter = response.RetryAfter,
            Operation = call.Operation,
            Url = call.Url,
            HelpUrl = help,
            MayHaveTakenEffect = (int)response.Status >= 500 && call.HasEffect,
            IsRepeatable = call.IsRepeatable,
            // A gateway's error page does not say what happened to the request behind it; a 503 with Retry-After does.
            RequestMayHaveBeenProcessed = !call.IsRepeatable && problem is null && (int)response.Status >= 500 && !IsPostponed(response),
        };
    }

    private static bool IsRateLimit(AcmeResponse response, AcmeProblem? problem) =>
        response.Status == HttpStatusCode.TooManyRequests
        || problem?.Is(AcmeProblemTypes.RateLimited) == true;

    // A service that is down or overloaded and says when to come back: the client has not reached a limit.
    private static bool IsPostponed(AcmeResponse response) =>
        response.Status == HttpStatusCode.ServiceUnavailable && response.RetryAfter is not null;
}
