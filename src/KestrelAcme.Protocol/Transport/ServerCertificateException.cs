using System.Security.Authentication;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Transport;

/// <summary>The server's certificate was refused; the message says which link of its chain is wrong, and how.</summary>
internal sealed class ServerCertificateException(string message, AcmeUnreachableReason reason, bool hadTrustedRoots)
    : AuthenticationException(QuotedText.Of(message))
{
    public AcmeUnreachableReason Reason => reason;

    public bool HadTrustedRoots => hadTrustedRoots;
}
