namespace KestrelAcme.LocalAuthority.Faults;

/// <summary>How a fault shows.</summary>
internal enum FaultEffect
{
    /// <summary>A problem document instead of processing.</summary>
    Problem,

    /// <summary>The connection ends before anything is processed.</summary>
    CutBefore,

    /// <summary>The request is processed, then the connection ends without an answer.</summary>
    CutAfter,

    /// <summary>The request is processed, then the connection ends in the middle of the body.</summary>
    CutInBody,

    /// <summary>The request is processed, the body is no JSON.</summary>
    NotJson,

    /// <summary>The request is processed, the body is its first half.</summary>
    Truncated,

    /// <summary>The request is processed, the content type is <c>text/html</c>.</summary>
    WrongContentType,

    /// <summary>The request is processed, the body never ends.</summary>
    EndlessBody,

    /// <summary>The request is processed, the Location header is left out.</summary>
    MissingLocation,

    /// <summary>The request is processed, the Replay-Nonce header is left out.</summary>
    MissingNonce,

    /// <summary>The request is processed, the answer is changed.</summary>
    Rewrite,

    /// <summary>The request is never answered.</summary>
    NoAnswer,
}
