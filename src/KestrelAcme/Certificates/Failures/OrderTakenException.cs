using KestrelAcme.Diagnostics;

namespace KestrelAcme.Certificates.Failures;

/// <summary>The authority handed out an order that another certificate of the same names has under way, with another key: that one is finished first.</summary>
internal sealed class OrderTakenException(Uri orderUrl)
    : Exception($"The authority handed out the order {QuotedText.Of(orderUrl)}, which another certificate for the same names has under way. It is tried again when that one is done.");
