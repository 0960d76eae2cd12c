using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Faults;

/// <summary>A fault for the next requests of a resource.</summary>
internal sealed class FaultRule(ResourceKind? resource, Fault fault, int times)
{
    public Fault Fault { get; } = fault;

    public bool IsSpent => times <= 0;

    public bool TryUse(ResourceKind asked)
    {
        if (IsSpent || (resource is { } wanted && wanted != asked))
        {
            return false;
        }

        // int.MaxValue means always.
        times -= times == int.MaxValue ? 0 : 1;
        return true;
    }
}

/// <summary>The effect of a fault.</summary>
internal enum FaultEffect
{
    /// <summary>A problem document instead of processing.</summary>
    Problem,

    /// <summary>The connection is closed before the request is processed.</summary>
    CutBefore,

    /// <summary>The request is processed, but the connection is closed without a response.</summary>
    CutAfter,

    /// <summary>The request is processed, but the connection is closed in the middle of the body.</summary>
    CutInBody,

    /// <summary>The request is processed, but the body is not JSON.</summary>
    NotJson,

    /// <summary>The request is processed, but only the first half of the body is sent.</summary>
    Truncated,

    /// <summary>The request is processed, but the content type is <c>text/html</c>.</summary>
    WrongContentType,

    /// <summary>The request is processed, but the body never ends.</summary>
    EndlessBody,

    /// <summary>The request is processed, but the Location header is missing.</summary>
    MissingLocation,

    /// <summary>The request is processed, but the Replay-Nonce header is missing.</summary>
    MissingNonce,

    /// <summary>The request is processed, but the response is replaced.</summary>
    Rewrite,

    /// <summary>There is no response.</summary>
    NoAnswer,
}

/// <summary>A name whose next validations fail.</summary>
internal sealed record ValidationFailure(Problem Problem, int Times);
