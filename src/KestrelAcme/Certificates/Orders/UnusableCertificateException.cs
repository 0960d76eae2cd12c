namespace KestrelAcme.Certificates.Orders;

/// <summary>The authority issued something that must not be served: another key, other names, already expired.</summary>
internal sealed class UnusableCertificateException(string message) : Exception(message);
