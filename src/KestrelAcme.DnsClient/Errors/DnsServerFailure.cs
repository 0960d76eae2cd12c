using System.Net;

namespace KestrelAcme.DnsClient.Errors;

/// <summary>Why one server gave no answer.</summary>
/// <param name="Server">The server.</param>
/// <param name="Problem">A sentence that names it.</param>
/// <param name="Code">The code it answered with, or null where it did not answer.</param>
public sealed record DnsServerFailure(IPEndPoint Server, string Problem, DnsResponseCode? Code);
